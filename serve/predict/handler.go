package predict

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/taximeter/taximeter/features"
)

// maxBody is the most bytes of one request: a ride with room for a whole trip record.
const maxBody = 64 << 10

// Handler answers POST with a prediction for the ride in the body, and GET with
// which model is served. What is wrong with a request is told as
// {"error": {"field", "message"}}.
type Handler struct {
	Loader *Loader
}

// scratch is what one request needs and the next may have.
type scratch struct {
	body  []byte
	ride  [1]features.Ride
	out   [1]float32
	reply []byte
}

var scratches = sync.Pool{New: func() any { return &scratch{body: make([]byte, 0, 512)} }}

// ServeHTTP never looks at the registry: the Loader does, beside it.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodPost:
		h.predict(w, r)
	case http.MethodGet, http.MethodHead:
		h.status(w)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		refuse(w, http.StatusMethodNotAllowed, &FieldError{Message: "only POST (a prediction) and GET (which model is served) work here"})
	}
}

func (h *Handler) predict(w http.ResponseWriter, r *http.Request) {
	s := scratches.Get().(*scratch)
	defer scratches.Put(s)
	if err := acceptable(r.Header); err != nil {
		refuse(w, http.StatusUnsupportedMediaType, &FieldError{Message: err.Error()})
		return
	}
	strict, wrong := strictness(r.URL.RawQuery)
	if wrong != nil {
		refuse(w, http.StatusBadRequest, wrong)
		return
	}
	if status, err := s.read(w, r); err != nil {
		refuse(w, status, &FieldError{Message: err.Error()})
		return
	}
	if s.ride[0], wrong = parseRide(s.body, strict); wrong != nil {
		refuse(w, http.StatusBadRequest, wrong)
		return
	}
	loaded := h.Loader.Current()
	if loaded == nil {
		refuse(w, http.StatusServiceUnavailable, &FieldError{Message: h.Loader.whyNone()})
		return
	}
	if err := loaded.model.PredictRides(s.ride[:], s.out[:]); err != nil {
		h.Loader.log().Error("predict", "version", loaded.Version, "error", err)
		refuse(w, http.StatusInternalServerError, &FieldError{Message: "the model could not predict; the server's log says more"})
		return
	}
	minutes := float64(s.out[0])
	if math.IsNaN(minutes) || math.IsInf(minutes, 0) {
		refuse(w, http.StatusBadRequest, &FieldError{"trip_distance", "trip_distance is beyond what the model can answer with a number"})
		return
	}
	s.reply = append(s.reply[:0], `{"duration":`...)
	s.reply = strconv.AppendFloat(s.reply, minutes, 'g', -1, 32)
	s.reply = append(s.reply, loaded.tail...)
	reply(w, http.StatusOK, s.reply)
}

// read reads the body whole.
func (s *scratch) read(w http.ResponseWriter, r *http.Request) (status int, err error) {
	tooLarge := fmt.Errorf("the body is larger than %d bytes; %s", maxBody, wantObject)
	if r.ContentLength > maxBody {
		return http.StatusRequestEntityTooLarge, tooLarge
	}
	s.body = s.body[:0]
	body := http.MaxBytesReader(w, r.Body, maxBody)
	for {
		if len(s.body) == cap(s.body) {
			s.body = append(s.body, 0)[:len(s.body)]
		}
		n, err := body.Read(s.body[len(s.body):cap(s.body)])
		s.body = s.body[:len(s.body)+n]
		switch limit := new(http.MaxBytesError); {
		case err == io.EOF:
			return 0, nil
		case errors.As(err, &limit):
			return http.StatusRequestEntityTooLarge, tooLarge
		case err != nil:
			return http.StatusBadRequest, errors.New("the body ended before it was whole")
		}
	}
}

// acceptable tells whether a body may be JSON in UTF-8. What curl sends unasked,
// or nothing, is taken as JSON; what says that it is something else is not.
func acceptable(h http.Header) error {
	if e := h.Get("Content-Encoding"); e != "" && e != "identity" {
		return fmt.Errorf("Content-Encoding %q is not read here; send the JSON as it is", e)
	}
	kind := h.Get("Content-Type")
	if kind == "" || kind == "application/json" {
		return nil
	}
	media, params, err := mime.ParseMediaType(kind)
	_, subtype, _ := strings.Cut(media, "/")
	switch {
	case err != nil:
	case subtype != "json" && !strings.HasSuffix(subtype, "+json") && subtype != "plain" && subtype != "x-www-form-urlencoded" && subtype != "octet-stream":
	case params["charset"] != "" && !strings.EqualFold(params["charset"], "utf-8") && !strings.EqualFold(params["charset"], "us-ascii"):
	default:
		return nil
	}
	return fmt.Errorf("Content-Type %q is not read here; send application/json in UTF-8", kind)
}

// strictness reads ?strict, which is true unless it is said to be false.
func strictness(query string) (bool, *FieldError) {
	if query == "" {
		return true, nil
	}
	values, err := url.ParseQuery(query)
	said := values.Get("strict")
	if err == nil && said == "" {
		return true, nil
	}
	strict, parseErr := strconv.ParseBool(said)
	if err != nil || parseErr != nil {
		return true, &FieldError{"strict", "strict in the query is neither true nor false"}
	}
	return strict, nil
}

// status tells which model is served.
func (h *Handler) status(w http.ResponseWriter) {
	answer := struct {
		Ready     bool       `json:"ready"`
		Reference string     `json:"reference"`
		Model     string     `json:"model,omitempty"`
		Version   string     `json:"version,omitempty"`
		RunID     string     `json:"run_id,omitempty"`
		LoadedAt  *time.Time `json:"loaded_at,omitempty"`
		Message   string     `json:"message,omitempty"` // what keeps it from being newer, or there at all
		Usage     string     `json:"usage"`
	}{Reference: h.Loader.Model.String(), Usage: "POST " + wantObject[len("want "):]}
	if err := h.Loader.Problem(); err != nil {
		answer.Message = err.Error()
	}
	if c := h.Loader.Current(); c != nil {
		answer.Ready, answer.Model, answer.Version, answer.RunID, answer.LoadedAt = true, c.Model, c.Version, c.RunID, &c.LoadedAt
	} else {
		answer.Message = h.Loader.whyNone()
	}
	replyJSON(w, http.StatusOK, answer)
}

// Ping answers 200 when there is a model to predict with, and 503 otherwise.
func (h *Handler) Ping(w http.ResponseWriter, r *http.Request) {
	if h.Loader.Current() == nil {
		refuse(w, http.StatusServiceUnavailable, &FieldError{Message: h.Loader.whyNone()})
		return
	}
	reply(w, http.StatusOK, []byte("{}\n"))
}

// whyNone says why there is no model, and how to make one.
func (l *Loader) whyNone() string {
	why := "the model is still being looked up"
	if err := l.Problem(); err != nil {
		why = err.Error()
	}
	if gone := new(notThereError); errors.As(l.Problem(), &gone) {
		why += `; "taximeter train --date latest" makes and stages one`
	}
	return why
}

var jsonType = []string{"application/json"}

func refuse(w http.ResponseWriter, status int, e *FieldError) {
	replyJSON(w, status, map[string]*FieldError{"error": e})
}

func replyJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // the two shapes above can be written
	}
	reply(w, status, append(b, '\n'))
}

func reply(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h["Content-Type"] = jsonType
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	w.Write(body)
}
