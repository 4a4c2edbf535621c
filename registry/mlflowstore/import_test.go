package mlflowstore_test

import (
	"database/sql"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	_ "github.com/mattn/go-sqlite3"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/mlflowstore"
	"github.com/taximeter/taximeter/registry/store"
)

// unpack makes the stores of a version of MLflow from testdata, in a folder that
// it returns.
func unpack(t *testing.T, version string) string {
	t.Helper()
	dir := t.TempDir()
	files, err := txtar.ParseFile("testdata/files-" + version + ".txtar")
	if err != nil {
		t.Fatal(err)
	}
	here := func(b []byte) string { return strings.ReplaceAll(string(b), "@DIR@", dir) }
	for _, f := range files.Files {
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil {
			err = os.WriteFile(path, []byte(strings.TrimSuffix(here(f.Data), "\n")), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	script, err := os.ReadFile("testdata/mlflow-" + version + ".sql")
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite3", filepath.Join(dir, "mlflow.db"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec(here(script))
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestImport(t *testing.T) {
	for _, version := range []string{"2.22", "3.17"} {
		dir := unpack(t, version)
		for _, name := range []string{"mlflow.db", "mlruns"} {
			t.Run(version+"/"+name, func(t *testing.T) { checkImport(t, filepath.Join(dir, name)) })
		}
	}
}

// checkImport imports a store that make_store.py made, twice.
func checkImport(t *testing.T, path string) {
	c := &check{T: t}
	var err error
	if c.s, err = store.Open(t.Context(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	defer c.s.Close()
	first := c.load(path)
	modern := first.LoggedModels == 1
	want := store.Imported{Experiments: 3, Runs: 4, Points: 5, Models: 1, Versions: 3, Files: 2, Bytes: 10, Notes: []string{}}
	if modern {
		want.LoggedModels, want.Points, want.Versions, want.Files, want.Bytes = 1, 6, 4, 3, 19
	}
	if !reflect.DeepEqual(first, want) {
		t.Errorf("imported %+v, want %+v", first, want)
	}
	c.tracked()
	c.models(modern)
	if again := c.load(path); !reflect.DeepEqual(again, store.Imported{Notes: []string{}}) {
		t.Errorf("imported again: %+v", again)
	}
	c.tracked()
}

type check struct {
	*testing.T
	s *store.Store
}

func (c *check) load(path string) store.Imported {
	c.Helper()
	a, err := mlflowstore.Open(c.Context(), path, "")
	if err != nil {
		c.Fatal(err)
	}
	defer a.Close()
	done, err := c.s.Import(c.Context(), a, func(store.Imported) {})
	if err != nil {
		c.Fatal(err)
	}
	return done
}

func (c *check) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

func (c *check) equal(what string, got, want any) {
	c.Helper()
	if !reflect.DeepEqual(got, want) {
		c.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// run returns the run of a name, of whatever stage.
func (c *check) run(experiment registry.Experiment, name string) registry.Run {
	c.Helper()
	p, err := c.s.SearchRuns(c.Context(), registry.RunQuery{ExperimentIDs: []string{experiment.ID}, Filter: "run_name = '" + name + "'", View: registry.ViewAll})
	c.must(err)
	if len(p.Items) != 1 {
		c.Fatalf("%d runs called %s", len(p.Items), name)
	}
	return p.Items[0]
}

func (c *check) tracked() {
	c.Helper()
	green, err := c.s.GetExperimentByName(c.Context(), "taxi é")
	c.must(err)
	c.equal("tags", green.Tags, []registry.Tag{{Key: "team", Value: "green"}})
	gone, err := c.s.GetExperimentByName(c.Context(), "gone")
	c.must(err)
	c.equal("stage", gone.Lifecycle, registry.Deleted)
	c.equal("stage of its run", c.run(gone, "of the deleted").Info.Lifecycle, registry.Deleted)
	remote, err := c.s.GetExperimentByName(c.Context(), "store")
	c.must(err)
	c.equal("location", remote.ArtifactLocation, "s3://bucket/store")

	r := c.run(green, "first")
	c.equal("info", []any{r.Info.Status, r.Info.StartTime, r.Info.EndTime, r.Info.UserID, r.Info.Lifecycle},
		[]any{registry.Finished, int64(1700000000000), int64(1700000001000), "me", registry.Active})
	c.equal("params", r.Data.Params, []registry.Param{{Key: "depth", Value: "30"}, {Key: "empty", Value: ""}})
	for key, want := range map[string]string{"mlflow.user": "me", "k/é": "v", "note": "a \"quoted\"\ntext", "mlflow.runName": "first"} {
		got, _ := registry.FindTag(r.Data.Tags, key)
		c.equal("tag "+key, got, want)
	}
	for key, want := range map[string]float64{"rmse": 6.4, "inf": math.MaxFloat64} {
		got, _ := r.Data.Metric(key)
		c.equal("metric "+key, got, want)
	}
	if v, ok := r.Data.Metric("val/nan"); !ok || !math.IsNaN(v) {
		c.Errorf("NaN is %v, %v", v, ok)
	}
	h, err := c.s.MetricHistory(c.Context(), registry.HistoryQuery{RunID: r.Info.RunID, Key: "rmse"})
	c.must(err)
	c.equal("history", h.Items, []registry.Metric{{Key: "rmse", Value: 6.5, Timestamp: 1700000000000, Step: 1}, {Key: "rmse", Value: 6.4, Timestamp: 1700000000001, Step: 2}})
	c.equal("datasets", r.Inputs.Datasets, []registry.DatasetInput{{Tags: []registry.Tag{{Key: "mlflow.data.context", Value: "training"}},
		Dataset: registry.Dataset{Name: "green_2021-01", Digest: "abc123", SourceType: "http", Source: `{"url": "x"}`, Schema: `{"s": 1}`, Profile: `{"rows": 3}`}}})
	for _, name := range []string{"note.txt", "dir/note.txt"} {
		f, err := c.s.OpenArtifact(c.Context(), r.Info.RunID, name)
		c.must(err)
		c.equal(name, c.content(f), "hello")
	}
	parent, _ := registry.FindTag(c.run(green, "child").Data.Tags, registry.TagParentRun)
	c.equal("parent", parent, r.Info.RunID)
	c.equal("deleted run", c.run(green, "deleted").Info.Lifecycle, registry.Deleted)
}

func (c *check) content(f io.ReadCloser) string {
	c.Helper()
	defer f.Close()
	b, err := io.ReadAll(f)
	c.must(err)
	return string(b)
}

func (c *check) models(modern bool) {
	c.Helper()
	m, err := c.s.GetRegisteredModel(c.Context(), "Ride")
	c.must(err)
	c.equal("description", m.Description, "rides")
	c.equal("tags", m.Tags, []registry.Tag{{Key: "a", Value: "b"}})
	c.equal("aliases", m.Aliases, []registry.Alias{{Alias: "best", Version: "1"}})
	v, err := c.s.GetModelVersion(c.Context(), "Ride", "1")
	c.must(err)
	c.equal("version", []any{v.CurrentStage, v.Description, v.Tags}, []any{registry.StageStaging, "v", []registry.Tag{{Key: "i", Value: "0"}}})
	file := func(version, name string) string {
		uri, err := c.s.ModelVersionURI(c.Context(), "Ride", version)
		c.must(err)
		place, err := registry.ArtifactName(uri)
		c.must(err)
		f, err := c.s.OpenFile(c.Context(), place+"/"+name)
		c.must(err)
		return c.content(f)
	}
	c.equal("file of version 1", file("1", "note.txt"), "hello")
	if _, err := c.s.GetModelVersion(c.Context(), "Ride", "3"); registry.CodeOf(err) != registry.ResourceDoesNotExist {
		c.Errorf("the deleted version: %v", err)
	}
	next := "4"
	if modern {
		next = "5"
		c.equal("file of version 4", file("4", "MLmodel"), "flavors:\n")
		green, err := c.s.GetExperimentByName(c.Context(), "taxi é")
		c.must(err)
		p, err := c.s.SearchLoggedModels(c.Context(), registry.LoggedModelQuery{ExperimentIDs: []string{green.ID}, Filter: "metrics.valid = 5.5 AND params.depth = '30' AND tags.t = 'u' AND model_type = 'tree'"})
		c.must(err)
		if len(p.Items) != 1 || p.Items[0].Info.Status != registry.ModelReady {
			c.Fatalf("logged models: %+v", p.Items)
		}
		id := p.Items[0].Info.ModelID
		c.equal("outputs", c.run(green, "first").Outputs.Models, []registry.ModelOutput{{ModelID: id, Step: 3}})
		c.equal("inputs", c.run(green, "child").Inputs.Models, []registry.ModelInput{{ModelID: id}})
	}
	made, err := c.s.CreateModelVersion(c.Context(), registry.NewModelVersion{Name: "Ride", Source: "s3://x/y"})
	c.must(err)
	c.equal("next version", made.Version, next)
	c.must(c.s.DeleteModelVersion(c.Context(), "Ride", next))
}

// What is here already is added to, not changed.
func TestImportKeepsWhatIsHere(t *testing.T) {
	c := &check{T: t}
	var err error
	if c.s, err = store.Open(t.Context(), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	defer c.s.Close()
	id, err := c.s.CreateExperiment(t.Context(), registry.NewExperiment{Name: "mine"}) // takes the number 1
	c.must(err)
	_, err = c.s.CreateRegisteredModel(t.Context(), registry.NewRegisteredModel{Name: "Ride", Description: "mine"})
	c.must(err)
	_, err = c.s.CreateModelVersion(t.Context(), registry.NewModelVersion{Name: "Ride", Source: "s3://x/y"})
	c.must(err)
	c.must(c.s.SetAlias(t.Context(), "Ride", "best", "1"))
	dir := unpack(t, "2.22")
	done := c.load(filepath.Join(dir, "mlflow.db"))
	if len(done.Notes) != 1 || !strings.Contains(done.Notes[0], "version 1 of Ride is another one here") {
		t.Errorf("notes: %q", done.Notes)
	}
	c.tracked()
	mine, err := c.s.GetExperiment(t.Context(), id)
	c.must(err)
	c.equal("experiment", mine.Name, "mine")
	m, err := c.s.GetRegisteredModel(t.Context(), "Ride")
	c.must(err)
	c.equal("description", m.Description, "mine")
	v, err := c.s.GetModelVersion(t.Context(), "Ride", "1")
	c.must(err)
	c.equal("version 1", v.Source, "s3://x/y")

	green, err := c.s.GetExperimentByName(t.Context(), "taxi é")
	c.must(err)
	run := c.run(green, "first").Info.RunID
	c.must(c.s.SetTag(t.Context(), run, registry.Tag{Key: "note", Value: "edited"}))
	c.must(c.s.LogMetric(t.Context(), run, registry.Metric{Key: "rmse", Value: 1, Step: 9}))
	c.load(filepath.Join(dir, "mlflow.db"))
	r := c.run(green, "first")
	note, _ := registry.FindTag(r.Data.Tags, "note")
	c.equal("edited tag", note, "edited")
	rmse, _ := r.Data.Metric("rmse")
	c.equal("newer point", rmse, 1.0)
}

// A folder with the artifacts in it may have been moved since.
func TestImportOfAMovedFolder(t *testing.T) {
	dir := unpack(t, "2.22")
	root := filepath.Join(dir, "mlruns")
	runs, err := filepath.Glob(filepath.Join(dir, "of-mlruns", "green", "*"))
	if err != nil || len(runs) != 1 {
		t.Fatalf("folders of artifacts: %v, %v", runs, err)
	}
	own, err := filepath.Glob(filepath.Join(root, "*", filepath.Base(runs[0])))
	if err == nil {
		err = os.Rename(filepath.Join(runs[0], "artifacts"), filepath.Join(own[0], "artifacts"))
	}
	moved := filepath.Join(t.TempDir(), "elsewhere")
	if err = errors.Join(err, os.Rename(root, moved)); err != nil {
		t.Fatal(err)
	}
	checkImport(t, moved)
}

func TestOpenOfOtherThings(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("hello"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "registry.db"), dir, text, filepath.Join(dir, "nothing")} {
		if a, err := mlflowstore.Open(t.Context(), path, ""); err == nil {
			t.Errorf("%s was opened as %T", path, a)
		}
	}
}
