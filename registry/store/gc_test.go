package store_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/store"
)

// garden is a store with deleted things and others in it.
type garden struct {
	*store.Store
	ctx         context.Context
	t           *testing.T
	dir         string
	experiment  string
	kept, gone  string // runs: active, deleted
	used        string // a deleted run that a version needs
	goneModel   string // a deleted logged model
	usedModel   string // one that a version needs
	goneProject string // a deleted experiment with a run
}

func plant(t *testing.T) *garden {
	dir := t.TempDir()
	g := &garden{Store: open(t, dir), ctx: t.Context(), t: t, dir: dir}
	var err error
	if g.experiment, err = g.CreateExperiment(g.ctx, registry.NewExperiment{Name: "green"}); err != nil {
		t.Fatal(err)
	}
	g.kept, g.gone, g.used = g.run(g.experiment), g.run(g.experiment), g.run(g.experiment)
	g.goneModel, g.usedModel = g.model(g.experiment), g.model(g.experiment)
	if g.goneProject, err = g.CreateExperiment(g.ctx, registry.NewExperiment{Name: "yellow"}); err != nil {
		t.Fatal(err)
	}
	g.run(g.goneProject)
	_, err = g.CreateRegisteredModel(g.ctx, registry.NewRegisteredModel{Name: "Ride"})
	for _, v := range []registry.NewModelVersion{{Source: "runs:/" + g.used + "/model", RunID: g.used}, {Source: "models:/" + g.usedModel, ModelID: g.usedModel}} {
		v.Name = "Ride"
		_, made := g.CreateModelVersion(g.ctx, v)
		err = errors.Join(err, made)
	}
	if err := errors.Join(err, g.DeleteRun(g.ctx, g.gone), g.DeleteRun(g.ctx, g.used), g.DeleteLoggedModel(g.ctx, g.goneModel),
		g.DeleteLoggedModel(g.ctx, g.usedModel), g.DeleteExperiment(g.ctx, g.goneProject)); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *garden) run(experiment string) string {
	r, err := g.CreateRun(g.ctx, registry.NewRun{ExperimentID: experiment})
	if err == nil {
		err = errors.Join(g.PutArtifact(g.ctx, r.Info.RunID, "model/MLmodel", strings.NewReader("flavors:")),
			g.LogBatch(g.ctx, r.Info.RunID, registry.Batch{Metrics: []registry.Metric{{Key: "m"}}, Params: []registry.Param{{Key: "p"}}}))
	}
	if err != nil {
		g.t.Fatal(err)
	}
	return r.Info.RunID
}

func (g *garden) model(experiment string) string {
	m, err := g.CreateLoggedModel(g.ctx, registry.NewLoggedModel{ExperimentID: experiment})
	if err != nil {
		g.t.Fatal(err)
	}
	if err := g.PutFile(g.ctx, experiment+"/models/"+m.Info.ModelID+"/artifacts/MLmodel", strings.NewReader("flavors:")); err != nil {
		g.t.Fatal(err)
	}
	return m.Info.ModelID
}

// folders returns the folders below an experiment's, or none if it is gone.
func (g *garden) folders(parts ...string) (names []string) {
	entries, err := os.ReadDir(filepath.Join(append([]string{g.dir, "artifacts"}, parts...)...))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		g.t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestGC(t *testing.T) {
	g := plant(t)
	want := store.Collected{Runs: []string{g.gone}, LoggedModels: []string{g.goneModel}, Experiments: []string{g.goneProject}}
	for _, test := range []struct {
		garbage store.Garbage
		want    store.Collected
	}{
		{store.Garbage{OlderThan: time.Hour}, store.Collected{}},
		{store.Garbage{DryRun: true}, want}, {store.Garbage{}, want}, {store.Garbage{}, store.Collected{}},
	} {
		got, err := g.GC(g.ctx, test.garbage)
		if err != nil {
			t.Fatal(err)
		}
		// The run of the deleted experiment is named too.
		for _, id := range got.Runs {
			if r := g.exists(id); test.garbage.DryRun != r {
				t.Errorf("run %s exists: %v", id, r)
			}
		}
		if len(test.want.Runs) > 0 && len(got.Runs) != 2 || !reflect.DeepEqual(got.Experiments, orEmpty(test.want.Experiments)) ||
			!reflect.DeepEqual(got.LoggedModels, orEmpty(test.want.LoggedModels)) {
			t.Errorf("GC(%+v) = %+v, want %+v", test.garbage, got, test.want)
		}
		if kept := len(got.Kept); kept != 2 && test.garbage.OlderThan == 0 {
			t.Errorf("kept: %+v", got.Kept)
		}
	}
	if !g.exists(g.kept) || !g.exists(g.used) || g.exists(g.gone) {
		t.Error("the wrong runs are left")
	}
	if names := g.folders(g.experiment); len(names) != 3 { // two runs, models
		t.Errorf("folders of the experiment: %v", names)
	}
	if names := g.folders(g.experiment, "models"); !reflect.DeepEqual(names, []string{g.usedModel}) {
		t.Errorf("folders of logged models: %v", names)
	}
	if names := g.folders(); !reflect.DeepEqual(names, []string{g.experiment}) {
		t.Errorf("folders: %v", names)
	}
	if _, err := g.CreateExperiment(g.ctx, registry.NewExperiment{Name: "yellow"}); err != nil {
		t.Errorf("the name of what is gone is free: %v", err)
	}
}

func orEmpty(list []string) []string { return append([]string{}, list...) }

func (g *garden) exists(run string) bool {
	_, err := g.GetRun(g.ctx, run)
	if err != nil && registry.CodeOf(err) != registry.ResourceDoesNotExist {
		g.t.Fatal(err)
	}
	return err == nil
}

func TestGCOfWhatIsNamed(t *testing.T) {
	g := plant(t)
	for what, garbage := range map[string]store.Garbage{
		"is not in the deleted lifecycle stage": {RunIDs: []string{g.gone, g.kept}},
		"there is no run":                       {RunIDs: []string{"nope"}},
		"is needed by Ride version 1":           {RunIDs: []string{g.used}},
		"is needed by Ride version 2":           {LoggedModelIDs: []string{g.usedModel}},
		"was deleted less than 1h0m0s ago":      {RunIDs: []string{g.gone}, OlderThan: time.Hour},
	} {
		if _, err := g.GC(g.ctx, garbage); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("GC(%+v) = %v, want %q", garbage, err, what)
		}
	}
	if !g.exists(g.gone) {
		t.Fatal("a refused collection removed something")
	}
	got, err := g.GC(g.ctx, store.Garbage{RunIDs: []string{g.gone}})
	if err != nil || !reflect.DeepEqual(got.Runs, []string{g.gone}) || len(got.Experiments)+len(got.LoggedModels)+len(got.Kept) != 0 {
		t.Errorf("GC of one run = %+v, %v", got, err)
	}
}
