package predict_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/taximeter/taximeter/features"
	"github.com/taximeter/taximeter/features/matrix"
	"github.com/taximeter/taximeter/models"
	"github.com/taximeter/taximeter/models/linear"
	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/store"
)

const name = "NYCRideDurationModel"

// house is a registry with what puts models into it.
type house struct {
	t testing.TB
	*store.Store
	experiment string
}

func newHouse(t testing.TB) *house {
	t.Helper()
	s, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	id, err := s.CreateExperiment(t.Context(), registry.NewExperiment{Name: "nyc-taxi-experiment"})
	if err != nil {
		t.Fatal(err)
	}
	return &house{t, s, id}
}

// train fits a model to three rides: a mile takes per minutes, and the pair
// 43 to 151 one more.
func train(t testing.TB, per float64) *models.Model {
	t.Helper()
	rides := []features.Ride{
		{PULocationID: 43, DOLocationID: 151, TripDistance: 1}, {PULocationID: 43, DOLocationID: 151, TripDistance: 2},
		{PULocationID: 7, DOLocationID: 8, TripDistance: 1}, {PULocationID: 7, DOLocationID: 8, TripDistance: 3},
	}
	y := make([]float64, len(rides))
	for i, r := range rides {
		if y[i] = per * r.TripDistance; r.PULocationID == 43 {
			y[i]++
		}
	}
	columns := features.FromRides(features.Pair, rides)
	v, err := matrix.Fit(columns)
	if err != nil {
		t.Fatal(err)
	}
	x, err := v.Transform(columns)
	if err != nil {
		t.Fatal(err)
	}
	fitted, err := linear.Fit(context.Background(), x, y, linear.Params{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := models.NewLinear(features.Pair, v, fitted)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// log makes a run with m's directory; broken names a file of it to spoil.
func (h *house) log(m *models.Model, broken string) (runID string) {
	h.t.Helper()
	run, err := h.CreateRun(h.t.Context(), registry.NewRun{ExperimentID: h.experiment})
	if err != nil {
		h.t.Fatal(err)
	}
	files, err := m.Files(models.Card{RunID: run.Info.RunID})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, f := range files {
		if f.Name == broken {
			f.Bytes = f.Bytes[:20]
		}
		if err := h.PutArtifact(h.t.Context(), run.Info.RunID, "model/"+f.Name, bytes.NewReader(f.Bytes)); err != nil {
			h.t.Fatal(err)
		}
	}
	return run.Info.RunID
}

// register makes a version of the run's model and returns its number.
func (h *house) register(runID string) string {
	h.t.Helper()
	if _, err := h.CreateRegisteredModel(h.t.Context(), registry.NewRegisteredModel{Name: name}); err != nil &&
		registry.CodeOf(err) != registry.ResourceAlreadyExists {
		h.t.Fatal(err)
	}
	v, err := h.CreateModelVersion(h.t.Context(), registry.NewModelVersion{Name: name, RunID: runID, Source: fmt.Sprintf("runs:/%s/model", runID)})
	if err != nil {
		h.t.Fatal(err)
	}
	return v.Version
}

func (h *house) move(version, stage string) {
	h.t.Helper()
	if _, err := h.TransitionStage(h.t.Context(), name, version, stage, stage == "Staging"); err != nil {
		h.t.Fatal(err)
	}
}

// stage logs, registers and stages m.
func (h *house) stage(m *models.Model) (version string) {
	h.t.Helper()
	version = h.register(h.log(m, ""))
	h.move(version, "Staging")
	return version
}
