package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/taximeter/taximeter/data"
	"github.com/taximeter/taximeter/engine/enginecmd"
	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/mlflow"
	"github.com/taximeter/taximeter/registry/store"
)

// tracking is an open registry, and what closes it.
type tracking struct {
	registry.Service
	Close func() error
}

// openTracking opens the tracking server at uri. If uri is empty that is the server
// which keeps the records of this worker's runs, or else the home's own registry.
func (a *app) openTracking(ctx context.Context, uri string) (*tracking, error) {
	if s := a.Server(); uri == "" && s != nil {
		return &tracking{&mlflow.Client{BaseURL: s.URL, Token: s.Token}, func() error { return nil }}, nil
	}
	if uri != "" {
		return &tracking{&mlflow.Client{
			BaseURL:  uri,
			Token:    a.Env("MLFLOW_TRACKING_TOKEN"),
			Username: a.Env("MLFLOW_TRACKING_USERNAME"),
			Password: a.Env("MLFLOW_TRACKING_PASSWORD"),
		}, func() error { return nil }}, nil
	}
	dir, err := a.HomeDir()
	if err != nil {
		return nil, err
	}
	s, err := store.Open(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("open the registry: %w", err)
	}
	return &tracking{s, s.Close}, nil
}

// trackingURI is the address of the tracking server to use: flag, else the
// environment's, empty for the home's own registry.
func (a *app) trackingURI(flag string) (string, error) {
	name, uri := "--tracking-uri", flag
	if uri == "" {
		name, uri = "MLFLOW_TRACKING_URI", a.Env("MLFLOW_TRACKING_URI")
	}
	if uri == "" {
		return "", nil
	}
	u, err := url.Parse(uri)
	switch {
	case err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "":
		return strings.TrimRight(uri, "/"), nil
	case strings.HasPrefix(uri, "sqlite:"):
		return "", enginecmd.Usage("%s is %q: that is a database file, not a tracking server", name, uri).
			Hint("start its server (mlflow server --backend-store-uri %s) and give the server's http:// address, or unset %s to use taximeter's own registry", uri, name)
	}
	return "", enginecmd.Usage("%s is %q: want the http:// or https:// address of a tracking server", name, uri).
		Hint("without it, taximeter uses its own registry, in the home")
}

// months is where months are looked for: dir if it is given, then the home's
// cache, then TLC's address.
func (a *app) months(dir string) (*data.Source, error) {
	home, err := a.HomeDir()
	if err != nil {
		return nil, err
	}
	s := &data.Source{Cache: filepath.Join(home, "months"), BaseURL: a.Env("TAXIMETER_MONTHS_URL")}
	if dir != "" {
		s.Dirs = []string{dir}
	}
	return s, nil
}

// existingDir returns the absolute path of a directory that a flag names.
func existingDir(flag, dir string) (string, error) {
	if dir == "" {
		return "", nil
	}
	st, err := os.Stat(dir)
	if err == nil && !st.IsDir() {
		err = errors.New("it is no directory")
	}
	if err != nil {
		return "", enginecmd.Usage("%s: %v", flag, err)
	}
	return filepath.Abs(dir)
}
