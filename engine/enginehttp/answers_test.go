package enginehttp_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginehttp"
	"github.com/taximeter/taximeter/engine/history"
)

// deaf is a network that loses every other answer, though the request has arrived.
type deaf struct{ requests *atomic.Int64 }

func (d deaf) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && d.requests.Add(1)%2 == 0 {
		res.Body.Close()
		return nil, errors.New("the line is dead")
	}
	return res, err
}

// A call whose answer is lost is made again, and recorded once.
func TestAnswersGetLost(t *testing.T) {
	b := newBench(t)
	h := deafened(t, b)
	n, run, err := count(5, 3).Start(t.Context(), &engine.Engine{History: h, Logger: quiet}, 0, engine.Options{})
	if err != nil || n != 15 {
		t.Fatal(n, err)
	}
	states, err := b.store.States(t.Context(), run.ID, "")
	var names []string
	for _, s := range states {
		names = append(names, s.Name)
	}
	if got := strings.Join(names, " "); err != nil || got != "Pending Running Completed" {
		t.Errorf("states %s, %v", got, err)
	}
}

// deafened is a history by a network that loses every other answer, the next one first.
func deafened(t *testing.T, b *bench) *enginehttp.History {
	t.Helper()
	client := &enginehttp.Client{URL: b.url}
	id, err := client.TakeLease(t.Context(), 1, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	client.HTTP = &http.Client{Transport: deaf{new(atomic.Int64)}}
	h, err := client.OpenHistory(t.Context(), id, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() }) // its answer may be lost, too
	return h
}

// Nor is a run that one has adopted without hearing so somebody else's.
func TestTheAnswerToAnAdoptionGetsLost(t *testing.T) {
	b := newBench(t)
	h := deafened(t, b)
	at := time.Now().UTC().Truncate(time.Microsecond)
	made, err := b.store.CreateFlowRun(t.Context(), engine.FlowRun{
		ID: "run-1", RootID: "run-1", Flow: "count", Name: "n", Created: at, ExpectedStart: at, State: engine.After(engine.State{}, at, engine.TypeScheduled, engine.NameScheduled, ""),
	})
	if err != nil {
		t.Fatal(err)
	}
	run, err := h.AdoptFlowRun(t.Context(), made.ID)
	if err != nil || run.State.Type != engine.TypePending {
		t.Errorf("%+v, %v", run.State, err)
	}
	if _, err := b.store.AdoptFlowRun(t.Context(), made.ID); !errors.As(err, new(*engine.OwnedError)) {
		t.Errorf("adopted by the server: %v", err)
	}
}

// What is answered is recorded, lines of logs as well: the client goes on if the
// server dies.
func TestAnsweredIsRecorded(t *testing.T) {
	b := newBench(t)
	at := time.Now().UTC().Truncate(time.Microsecond)
	if _, err := b.store.CreateFlowRun(t.Context(), engine.FlowRun{
		ID: "run-1", RootID: "run-1", Flow: "count", Name: "n", Created: at, ExpectedStart: at, State: engine.After(engine.State{}, at, engine.TypePending, engine.NamePending, ""),
	}); err != nil {
		t.Fatal(err)
	}
	lease, err := (&enginehttp.Client{URL: b.url}).TakeLease(t.Context(), 1, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	other, err := history.Open(t.Context(), b.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	for i := range 20 {
		body := fmt.Sprintf(`{"calls":[{"append_logs":[{"flow_run_id":"run-1","level":"INFO","time":%q,"message":"line %d"}]}]}`, at.Format(time.RFC3339Nano), i)
		res, err := http.Post(b.url+"/api/engine/v1/leases/"+lease+"/calls", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		lines, err := other.Logs(t.Context(), "run-1")
		if err != nil || res.StatusCode != http.StatusOK || len(lines) != i+1 {
			t.Fatalf("%s, %d lines, %v", res.Status, len(lines), err)
		}
	}
}
