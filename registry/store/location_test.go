package store_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/store"
)

// Where the operator names a directory, experiments may keep artifacts in it,
// and clients may write them there by themselves.
func TestLocalArtifacts(t *testing.T) {
	dir := t.TempDir()
	shared, secret := filepath.Join(dir, "shared"), filepath.Join(dir, "secret")
	if err := os.MkdirAll(secret, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(secret, "key"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	at := store.Location{Database: filepath.Join(dir, "x.db"), Artifacts: filepath.Join(dir, "artifacts"), Root: "file://" + shared, Local: []string{shared}}
	s, err := store.OpenAt(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx := t.Context()
	if e, err := s.GetExperiment(ctx, "0"); err != nil || e.ArtifactLocation != "file://"+shared+"/0" {
		t.Errorf("the default experiment is at %s, %v", e.ArtifactLocation, err)
	}

	r, err := s.CreateRun(ctx, registry.NewRun{})
	if err != nil {
		t.Fatal(err)
	}
	place, ok := registry.LocalPath(r.Info.ArtifactURI)
	if !ok || !strings.HasPrefix(place, shared+"/0/") {
		t.Fatalf("the run's artifacts are at %s", r.Info.ArtifactURI)
	}
	if err := os.MkdirAll(filepath.Join(place, "model"), 0o755); err != nil { // as MLflow's client does
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(place, "model/MLmodel"), []byte("flavors:"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.PutArtifact(ctx, r.Info.RunID, "notes.txt", strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	found, err := s.ListArtifacts(ctx, r.Info.RunID, "")
	if err != nil || len(found) != 2 || found[0].Path != "model" || found[1].Path != "notes.txt" {
		t.Errorf("artifacts %v, %v", found, err)
	}
	f, err := s.OpenAt(ctx, r.Info.ArtifactURI, "model/MLmodel")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if b, err := io.ReadAll(f); string(b) != "flavors:" || err != nil {
		t.Errorf("read %q, %v", b, err)
	}

	if _, err := s.CreateRegisteredModel(ctx, registry.NewRegisteredModel{Name: "m"}); err != nil {
		t.Fatal(err)
	}
	for source, want := range map[string]registry.Code{
		place + "/model": "", "file://" + place + "/model": "", "file:" + place: "",
		secret: registry.InvalidParameterValue, "file://" + secret: registry.InvalidParameterValue, shared + "/1": registry.InvalidParameterValue,
		place + "/../../../secret": registry.InvalidParameterValue, "file://elsewhere" + place: registry.InvalidParameterValue,
		place + "x": registry.InvalidParameterValue, "file://" + place + "/%2e%2e/%2e%2e": registry.InvalidParameterValue,
	} {
		if _, err := s.CreateModelVersion(ctx, registry.NewModelVersion{Name: "m", Source: source, RunID: r.Info.RunID}); registry.CodeOf(err) != want {
			t.Errorf("version from %s: %v, want %q", source, err, want)
		}
	}
	for location, want := range map[string]registry.Code{
		"file://" + shared + "/mine": "", shared + "/other": "",
		secret: registry.InvalidParameterValue, "file://" + secret: registry.InvalidParameterValue, shared + "/../secret": registry.InvalidParameterValue,
		"file://" + shared + "/a?x=..": registry.InvalidParameterValue, "file:///": registry.InvalidParameterValue, "/": registry.InvalidParameterValue,
		shared + "x": registry.InvalidParameterValue,
	} {
		if _, err := s.CreateExperiment(ctx, registry.NewExperiment{Name: location, ArtifactLocation: location}); registry.CodeOf(err) != want {
			t.Errorf("experiment at %s: %v, want %q", location, err, want)
		}
	}
	for _, uri := range []string{"file://" + secret, secret, "file://" + shared + "/../secret", "file:///"} {
		if _, err := s.OpenAt(ctx, uri, "key"); registry.CodeOf(err) != registry.InvalidParameterValue {
			t.Errorf("open %s/key: %v", uri, err)
		}
	}
	if err := os.Symlink(secret, filepath.Join(place, "link")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.OpenAt(ctx, r.Info.ArtifactURI, "link/key"); registry.CodeOf(err) != registry.InvalidParameterValue {
		t.Errorf("through a link: %v", err)
	}
}

// A store whose operator names no directory has nothing to do with paths.
func TestNoLocalArtifacts(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, uri := range []string{dir, "file://" + dir, "file://" + dir + "/artifacts"} {
		if _, err := s.CreateExperiment(t.Context(), registry.NewExperiment{Name: uri, ArtifactLocation: uri}); registry.CodeOf(err) != registry.InvalidParameterValue {
			t.Errorf("experiment at %s: %v", uri, err)
		}
		if _, err := s.OpenAt(t.Context(), uri, "registry.db"); registry.CodeOf(err) != registry.InvalidParameterValue {
			t.Errorf("open %s/registry.db: %v", uri, err)
		}
	}
}
