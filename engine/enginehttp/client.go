package enginehttp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/worker"
)

// Client speaks to a server of the API. It is a worker.Source and a
// worker.Planner, so a worker can be where the records are not: it hears there
// what to carry out, and its engine keeps the records of that in a [History].
//
// A Client is safe for concurrent use. What the server refuses is a *Problem.
type Client struct {
	URL   string       // of the server: "http://127.0.0.1:5000"
	Token string       // that it wants; empty: none
	HTTP  *http.Client // nil: http.DefaultClient
}

var (
	_ worker.Source  = (*Client)(nil)
	_ worker.Planner = (*Client)(nil)
)

// Beat implements worker.Source.
func (c *Client) Beat(ctx context.Context, w worker.Info, running []string) ([]string, error) {
	var answer beaten
	err := c.call(ctx, http.MethodPost, "workers/beat", beat{w, orEmpty(running)}, &answer)
	return orNone(answer.End), err
}

// Leave implements worker.Source.
func (c *Client) Leave(ctx context.Context, workerID string) error {
	return c.call(ctx, http.MethodDelete, "workers/"+url.PathEscape(workerID), nil, nil)
}

// mostClaimed is how many runs the API gives at once.
const mostClaimed = 1000

// Claim implements worker.Source.
func (c *Client) Claim(ctx context.Context, w worker.Info, most int, before time.Time) (runs []engine.FlowRun, next time.Time, err error) {
	var answer claimed
	err = c.call(ctx, http.MethodPost, "workers/claim", claim{w, min(most, mostClaimed), before}, &answer)
	return records(answer.FlowRuns), orZero(answer.Next), err
}

// GiveBack implements worker.Source.
func (c *Client) GiveBack(ctx context.Context, workerID, runID string) error {
	return c.call(ctx, http.MethodPost, "workers/"+url.PathEscape(workerID)+"/give-back", ofRun{FlowRun: runID}, nil)
}

// Done implements worker.Source.
func (c *Client) Done(ctx context.Context, workerID, runID, message string) error {
	return c.call(ctx, http.MethodPost, "workers/"+url.PathEscape(workerID)+"/done", ofRun{runID, message}, nil)
}

// Wait implements worker.Source.
func (c *Client) Wait(ctx context.Context) error {
	return c.call(ctx, http.MethodPost, "workers/wait", nil, nil)
}

// Plan implements worker.Planner.
func (c *Client) Plan(ctx context.Context, at time.Time) (time.Time, error) {
	var answer nextPlan
	err := c.call(ctx, http.MethodPost, "plan", planned{at}, &answer)
	return orZero(answer.Next), err
}

func records(shown []FlowRun) []engine.FlowRun {
	var runs []engine.FlowRun
	for _, r := range shown {
		runs = append(runs, r.Record())
	}
	return runs
}

// call asks the server, and reads what it answers into answer, if that is not nil.
// The path may have a query.
func (c *Client) call(ctx context.Context, method, path string, body, answer any) error {
	var text io.Reader
	kind := ""
	if body != nil {
		data, err := asJSON(body)
		if err != nil {
			return fmt.Errorf("%s %s%s: %w", method, Prefix, path, err)
		}
		text, kind = bytes.NewReader(data), "application/json"
	}
	read, err := c.open(ctx, method, path, kind, text)
	if err != nil {
		return err
	}
	defer read.Close()
	if answer != nil {
		if err := json.NewDecoder(read).Decode(answer); err != nil {
			return fmt.Errorf("read the answer to %s %s%s: %w", method, Prefix, path, err)
		}
	}
	return nil
}

// asJSON is v as JSON, with the bytes of what is JSON already.
func asJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.Bytes(), err
}

// open sends a request with a body of some kind, or none, and returns what the
// server answers. The caller closes it.
func (c *Client) open(ctx context.Context, method, path, kind string, body io.Reader) (io.ReadCloser, error) {
	what := fmt.Sprintf("%s %s%s", method, Prefix, path)
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.URL, "/")+Prefix+path, body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if c.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.Token)
	}
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	res, err := client.Do(r)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, fmt.Errorf("ask the engine's API: %w", err)
	}
	if res.StatusCode/100 != 2 {
		defer res.Body.Close()
		return nil, refusal(res, what)
	}
	return res.Body, nil
}

// refusal is what a server that does not do what it is asked says about it.
func refusal(res *http.Response, what string) error {
	data, _ := io.ReadAll(io.LimitReader(res.Body, 1<<20)) // what is there of it will do
	var answer problemBody
	if json.Unmarshal(data, &answer) == nil && answer.Error != nil {
		answer.Error.Status = res.StatusCode
		return answer.Error
	}
	if res.StatusCode == http.StatusUnauthorized { // whoever guards the API has words of his own
		return &Problem{res.StatusCode, "unauthorized", "the server wants a token, or another one", ""}
	}
	return &Problem{res.StatusCode, "not_the_api", fmt.Sprintf("%s: the server answered %d, which is not how the engine's API does", what, res.StatusCode), ""}
}
