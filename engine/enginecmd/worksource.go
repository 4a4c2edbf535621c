package enginecmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/taximeter/taximeter/engine/enginehttp"
	"github.com/taximeter/taximeter/engine/history"
	"github.com/taximeter/taximeter/engine/worker"
)

// workSource is where a worker hears what to run, and has runs planned.
type workSource interface {
	worker.Source
	worker.Planner
}

// workSource is the server that the flags name, or else the records themselves.
func (a *App) workSource(f workerFlags, h *history.Store) (workSource, error) {
	if f.api == "" {
		if f.token != "" {
			return nil, Usage("--token is for the server of --api: give that too")
		}
		return h, nil
	}
	u, err := url.Parse(f.api)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, Usage("--api %q: want a server's address, such as http://127.0.0.1:5000", f.api)
	}
	if f.token == "" {
		f.token = a.Env(a.variable("TOKEN"))
	}
	return &asked{Client: &enginehttp.Client{URL: f.api, Token: f.token}, app: a, h: h, met: make(chan struct{})}, nil
}

// asked is a server that works on the records h.
type asked struct {
	*enginehttp.Client
	app  *App
	h    *history.Store
	once sync.Once
	met  chan struct{} // closed once the server has taken the worker
}

// Beat implements worker.Source. A worker that cannot see itself in the records
// would be given runs that it cannot find: it is sent away.
func (s *asked) Beat(ctx context.Context, w worker.Info, running []string) ([]string, error) {
	end, err := s.Client.Beat(ctx, w, running)
	if err != nil {
		return nil, s.explain(err)
	}
	known, err := s.h.Workers(ctx, w.Pool)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(known, func(k worker.Status) bool { return k.ID == w.ID }) {
		home, err := s.app.HomeDir()
		return nil, errors.Join(Failure(ExitFailed, fmt.Errorf("the server at %s keeps its records elsewhere than in %s", s.URL, home)).
			Hint("--home must name the server's home: the worker writes its runs' records there"), err, s.Leave(ctx, w.ID))
	}
	s.once.Do(func() { close(s.met) })
	return end, nil
}

// Plan implements worker.Planner, once it is clear that the server is the right one.
func (s *asked) Plan(ctx context.Context, at time.Time) (time.Time, error) {
	select {
	case <-s.met:
		return s.Client.Plan(ctx, at)
	case <-ctx.Done():
		return time.Time{}, context.Cause(ctx)
	}
}

// explain adds what may help against an error of the server's.
func (s *asked) explain(err error) error {
	var problem *enginehttp.Problem
	var unreached *url.Error
	var garbled *json.SyntaxError
	failed := Failure(ExitFailed, fmt.Errorf("ask %s for runs: %w", s.URL, err))
	switch {
	case errors.As(err, &unreached): // which names the address
		return Failure(ExitFailed, err).Hint("is the server running there? \"%s server\" is one", s.app.Name)
	case errors.As(err, &problem) && problem.Status == http.StatusUnauthorized:
		return failed.Hint("give the token that the server was started with as --token, or as $%s", s.app.variable("TOKEN"))
	case errors.As(err, &problem) && problem.Code == "not_the_api" || errors.As(err, &garbled):
		return failed.Hint("--api must name a server that has the engine's API, without a path: \"%s server\" is one", s.app.Name)
	}
	return failed
}
