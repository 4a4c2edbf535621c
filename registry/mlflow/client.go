package mlflow

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/taximeter/taximeter/registry"
)

// Client is a registry.Service that is an MLflow server somewhere else: ours or
// MLflow's own. It is safe for concurrent use; its fields must not change once
// it is in use.
type Client struct {
	// BaseURL is the server's address, such as http://127.0.0.1:5000. It may
	// have a path.
	BaseURL string
	// Token is sent as a bearer token, if set.
	Token string
	// Username and Password are sent as basic authentication, if set and Token
	// is not.
	Username, Password string
	// HTTP does the requests; nil is a client that gives a JSON call two minutes.
	HTTP *http.Client
	// Retries is how often a call is tried again after the server could not be
	// reached or answered 429 or 5xx, if doing it twice does no harm: 4 if
	// zero, not at all if negative.
	Retries int
	// Backoff is the time before the first retry; it doubles each time. 200 ms
	// if zero.
	Backoff time.Duration

	artifactURIs sync.Map // by run id; a run's never changes
}

var _ registry.Service = (*Client)(nil)

// callTimeout bounds a JSON call, not an artifact's transfer.
const callTimeout = 2 * time.Minute

// userAgent is sent with every request.
const userAgent = "taximeter"

// call is one request to make.
type call struct {
	method, path string     // path below BaseURL
	query        url.Values // nil: none
	body         any        // JSON; nil: none
	once         bool       // doing it twice does harm
}

func get(path string, query url.Values) call {
	return call{method: http.MethodGet, path: api + path, query: query}
}
func post(path string, body any) call {
	return call{method: http.MethodPost, path: api + path, body: body}
}
func patch(path string, body any) call {
	return call{method: http.MethodPatch, path: api + path, body: body}
}
func remove(path string, body any) call {
	return call{method: http.MethodDelete, path: api + path, body: body}
}

const api = "/api/2.0/mlflow/"

// do makes a call and reads the JSON answer into out, unless out is nil.
func (c *Client) do(ctx context.Context, k call, out any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var body []byte
	if k.body != nil {
		var err error
		if body, err = json.Marshal(k.body); err != nil {
			return fmt.Errorf("write request to %s: %w", k.path, err)
		}
	}
	response, err := c.send(ctx, !k.once, func() (*http.Request, error) {
		r, err := c.request(ctx, k.method, k.path, k.query, bytes.NewReader(body))
		if err == nil && k.body != nil {
			r.Header.Set("Content-Type", "application/json")
		}
		return r, err
	})
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if out == nil {
		_, err = io.Copy(io.Discard, response.Body)
	} else {
		err = json.NewDecoder(response.Body).Decode(out)
	}
	if err != nil {
		return fmt.Errorf("read answer of %s %s: %w", k.method, c.BaseURL+k.path, err)
	}
	return nil
}

// request prepares a request. The path is escaped already.
func (c *Client) request(ctx context.Context, method, path string, query url.Values, body io.Reader) (*http.Request, error) {
	address := strings.TrimRight(c.BaseURL, "/") + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, method, address, body)
	if err != nil {
		return nil, registry.Errorf(registry.InvalidParameterValue, "tracking server's address: %w", err)
	}
	r.Header.Set("User-Agent", userAgent)
	switch {
	case c.Token != "":
		r.Header.Set("Authorization", "Bearer "+c.Token)
	case c.Username != "" || c.Password != "":
		r.SetBasicAuth(c.Username, c.Password)
	}
	return r, nil
}

// send makes a request until it is answered with success or for good. What
// could do harm twice is sent again only if the server cannot have done it.
func (c *Client) send(ctx context.Context, again bool, prepare func() (*http.Request, error)) (*http.Response, error) {
	client, retries, wait := c.HTTP, c.Retries, c.Backoff
	if client == nil {
		client = http.DefaultClient
	}
	if retries == 0 {
		retries = 4
	}
	if wait == 0 {
		wait = 200 * time.Millisecond
	}
	var last error // of the try before
	for {
		r, err := prepare()
		if err != nil {
			return nil, errors.Join(last, err)
		}
		response, err := client.Do(r)
		if err == nil && response.StatusCode < 300 {
			return response, nil
		}
		retry := false
		if err != nil {
			retry = again || unreached(err)
			err = fmt.Errorf("tracking server %s: %w", c.BaseURL, errors.Join(err, context.Cause(ctx)))
		} else {
			retry = worthRetrying(response.StatusCode, again)
			err = errorOf(response)
		}
		if retries--; !retry || retries < 0 || ctx.Err() != nil {
			return nil, err
		}
		last = err
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(wait/2 + rand.N(wait)):
			wait *= 2
		}
	}
}

// unreached reports whether err means that the server saw nothing of the request.
func unreached(err error) bool {
	e, ok := errors.AsType[*net.OpError](err)
	return ok && e.Op == "dial"
}

func worthRetrying(status int, again bool) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		return true
	case http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout:
		return again
	}
	return false
}

// errorOf reads the error that a response tells, and closes it.
func errorOf(response *http.Response) error {
	defer response.Body.Close()
	b, err := io.ReadAll(io.LimitReader(response.Body, 1<<16))
	if err != nil {
		return fmt.Errorf("read error of %s: %w", response.Request.URL.Redacted(), err)
	}
	var body struct {
		Code    registry.Code `json:"error_code"`
		Message string        `json:"message"`
		Detail  string        `json:"detail"`
	}
	switch err := json.Unmarshal(b, &body); {
	case err == nil && body.Code != "":
		return &registry.Error{Code: body.Code, Message: body.Message}
	case err == nil && body.Detail != "":
		return &registry.Error{Code: codeOf(response.StatusCode), Message: body.Detail}
	}
	return registry.Errorf(codeOf(response.StatusCode), "%s %s answered %s: %.300s",
		response.Request.Method, response.Request.URL.Redacted(), response.Status, bytes.TrimSpace(b))
}

// codeOf returns the code that a status without one means.
func codeOf(status int) registry.Code {
	switch status {
	case http.StatusBadRequest:
		return registry.InvalidParameterValue
	case http.StatusUnauthorized:
		return registry.Unauthenticated
	case http.StatusForbidden:
		return registry.PermissionDenied
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return registry.EndpointNotFound
	case http.StatusNotImplemented:
		return registry.NotImplemented
	case http.StatusServiceUnavailable:
		return registry.TemporarilyUnavailable
	}
	return registry.InternalError
}

// fields is a JSON object to send.
type fields map[string]any

// given leaves out what is empty: MLflow takes an empty text for one that is set.
func given(f fields) fields {
	for name, value := range f {
		switch v := value.(type) {
		case string:
			if v == "" {
				delete(f, name)
			}
		case []string:
			if len(v) == 0 {
				delete(f, name)
			}
		case int:
			if v == 0 {
				delete(f, name)
			}
		case registry.ViewType:
			if v == "" {
				delete(f, name)
			}
		}
	}
	return f
}
