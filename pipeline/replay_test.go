package pipeline

import (
	"testing"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginetest"
	"github.com/taximeter/taximeter/engine/history"
)

// The training flow makes the same calls whenever its body runs, so that it can be
// resumed, and carried out by an engine that replays.
func TestTrainingReplays(t *testing.T) {
	flows, _ := newFlows(t, synthesise(t, 3000))
	p := params(2)
	p.Gate = "metrics.rmse_valid < 100"
	h, err := history.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	enginetest.Replay(t, &engine.Engine{History: h}, flows.Train(), p)
	for _, f := range flows.Runnables() {
		if name := f.Info().Name; name != TrainFlow {
			t.Errorf("nobody replays %s", name)
		}
	}
}
