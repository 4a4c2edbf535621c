// Package predict serves predictions of one model of a registry over HTTP, and
// swaps it live when the registry names another. It does not know how models
// come into the registry, nor what address it is served at.
package predict

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/taximeter/taximeter/features"
	"github.com/taximeter/taximeter/models"
	"github.com/taximeter/taximeter/registry"
)

// Service is what serving wants of a registry: to look a model up and read its
// files. Every registry.Service is one.
type Service interface {
	registry.Files
	GetRun(ctx context.Context, runID string) (registry.Run, error)
	GetModelVersion(ctx context.Context, name, version string) (registry.ModelVersion, error)
	VersionByAlias(ctx context.Context, name, alias string) (registry.ModelVersion, error)
	LatestVersions(ctx context.Context, name string, stages []string) ([]registry.ModelVersion, error)
	ModelVersionURI(ctx context.Context, name, version string) (string, error)
}

// Loader keeps the model that a reference stands for in memory, and follows the
// registry while Run runs. Only Registry is needed; set the fields before use.
//
// A model once loaded is kept while the registry does not answer or names one
// that cannot be loaded. It is let go only when the registry says, twice in a
// row, that nothing answers to the reference: once may be the moment between
// archiving one version and staging the next.
type Loader struct {
	Registry Service
	Model    Reference     // which to serve
	Every    time.Duration // between two looks at the registry; zero means 500 ms
	Log      *slog.Logger  // gets every swap, and each problem once; nil is silent

	current atomic.Pointer[Loaded]
	problem atomic.Pointer[error] // of the last look, if it had one

	look   sync.Mutex // held by Refresh
	absent bool       // the last look found nothing there
	broken failure
}

// Loaded is a model in memory. It is not changed once made.
type Loaded struct {
	Model    string // name in the registry; empty for a model named by its run
	Version  string // in the registry; the run's id for a model named by its run
	RunID    string // the run that logged it
	LoadedAt time.Time

	model *models.Model
	id    identity
	tail  []byte // of every answer: what does not depend on the ride
}

// failure is a model that could not be loaded, and when to try again.
type failure struct {
	id    identity
	err   error
	pause time.Duration
	until time.Time
}

// Run looks at the registry until ctx ends.
func (l *Loader) Run(ctx context.Context) {
	every := l.Every
	if every <= 0 {
		every = 500 * time.Millisecond
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		l.Refresh(ctx) // what goes wrong is logged, and told by Status
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Refresh looks at the registry once, and loads the model if it is another one
// than before. The error is also logged, unless it is the same as last time.
func (l *Loader) Refresh(ctx context.Context) error {
	l.look.Lock()
	defer l.look.Unlock()
	look, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	err := l.refresh(look)
	if ctx.Err() != nil {
		return ctx.Err() // we were stopped: no problem of the registry's
	}
	before := l.Problem()
	if err == nil {
		l.problem.Store(nil)
		if before != nil {
			l.log().Info("the model can be had again", "model", l.Model.String())
		}
		return nil
	}
	l.problem.Store(&err)
	if before == nil || before.Error() != err.Error() {
		l.log().Warn("no new model", "model", l.Model.String(), "error", err, "serving", l.version())
	}
	return err
}

func (l *Loader) refresh(ctx context.Context) error {
	id, err := l.Model.resolve(ctx, l.Registry)
	if gone := new(notThereError); errors.As(err, &gone) {
		if l.absent {
			l.current.Store(nil)
		}
		l.absent = true
		return err
	}
	if err != nil {
		return err
	}
	l.absent = false
	if c := l.current.Load(); c != nil && c.id == id {
		l.broken = failure{}
		return nil
	}
	if l.broken.id == id && time.Now().Before(l.broken.until) {
		return l.broken.err
	}
	loaded, err := l.load(ctx, id)
	if err != nil {
		// Its files are large and its error will likely stay: look less and less often.
		pause := min(max(2*l.broken.pause, time.Second), 30*time.Second)
		if l.broken.id != id {
			pause = time.Second
		}
		l.broken = failure{id, err, pause, time.Now().Add(pause)}
		return err
	}
	l.broken = failure{}
	l.current.Store(loaded)
	l.log().Info("serving", "model", l.Model.String(), "version", loaded.Version, "run", loaded.RunID)
	return nil
}

// load reads a model's files into memory.
func (l *Loader) load(ctx context.Context, id identity) (*Loaded, error) {
	uri, err := l.Model.uri(ctx, l.Registry, id)
	if err != nil {
		return nil, fmt.Errorf("find the files of %s: %w", id, err)
	}
	files, err := registry.FS(ctx, l.Registry, uri)
	if err != nil {
		return nil, fmt.Errorf("open the files of %s: %w", id, err)
	}
	model, err := models.Load(files)
	if err != nil {
		return nil, fmt.Errorf("load %s from %s: %w", id, uri, err)
	}
	// Trees are compiled for the first prediction; let no request wait for that.
	if err := model.PredictRides([]features.Ride{{PULocationID: firstZone, DOLocationID: firstZone}}, make([]float32, 1)); err != nil {
		return nil, fmt.Errorf("try %s from %s: %w", id, uri, err)
	}
	loaded := &Loaded{Model: id.model, Version: id.version, RunID: id.run, LoadedAt: time.Now(), model: model, id: id}
	if loaded.Version == "" {
		loaded.Version = id.run
	}
	version, err := json.Marshal(loaded.Version)
	loaded.tail = fmt.Appendf(nil, `,"model_version":%s}`+"\n", version)
	return loaded, err
}

func (id identity) String() string {
	if id.version == "" {
		return "run " + id.run
	}
	return id.model + " version " + id.version
}

// Current returns the model to predict with, or nil while there is none. It
// never waits.
func (l *Loader) Current() *Loaded { return l.current.Load() }

// Problem returns what went wrong at the last look at the registry, nil if
// nothing did.
func (l *Loader) Problem() error {
	if p := l.problem.Load(); p != nil {
		return *p
	}
	return nil
}

func (l *Loader) version() string {
	if c := l.Current(); c != nil {
		return c.Version
	}
	return ""
}

func (l *Loader) log() *slog.Logger {
	if l.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l.Log
}
