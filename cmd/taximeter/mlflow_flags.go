package main

import (
	"net/url"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/taximeter/taximeter/engine/enginecmd"
	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/store"
)

// mlflowFlags are the flags of "mlflow server" that mean something here, and
// ours beside them.
type mlflowFlags struct {
	backend, registry, root, destination string
	serves, withholds, filesOnly         bool
	host, prefix, app, frames            string
	port                                 int
	hosts, origins                       []string
	unguarded                            bool
	ui, token                            string
	insecure, verbose                    bool
	local                                []string
}

// ignoredMLflowFlags are those that do nothing here: there are no worker
// processes to set up, and none of what the newer ones are about.
var ignoredMLflowFlags = []string{"workers", "gunicorn-opts", "waitress-opts", "uvicorn-opts", "expose-prometheus",
	"read-replica-backend-store-uri", "trace-archival-config", "secrets-cache-ttl", "secrets-cache-max-size", "workspace-store-uri"}

// define defines the flags.
func (f *mlflowFlags) define(flags *pflag.FlagSet) {
	flags.Bool("help", false, "help for mlflow-server") // -h is --host, as in MLflow
	flags.StringVar(&f.backend, "backend-store-uri", "sqlite:///mlflow.db", "database: sqlite:///PATH, relative, or sqlite:////PATH, absolute")
	flags.StringVar(&f.registry, "registry-store-uri", "", "must be the backend store")
	flags.StringVar(&f.root, "default-artifact-root", "", "URI below which new experiments keep their artifacts (default mlflow-artifacts:/, without --serve-artifacts ./mlruns)")
	flags.StringVar(&f.destination, "artifacts-destination", "./mlartifacts", "directory of the artifacts that go through the server")
	flags.StringSliceVar(&f.local, "allow-artifact-location", nil, "further directories of this machine that experiments may keep artifacts in")
	flags.BoolVar(&f.serves, "serve-artifacts", true, "take and give artifacts for clients")
	flags.BoolVar(&f.withholds, "no-serve-artifacts", false, "leave artifacts to the clients")
	flags.BoolVar(&f.filesOnly, "artifacts-only", false, "serve artifacts and nothing else")
	flags.StringVarP(&f.host, "host", "h", "127.0.0.1", "address to listen on")
	flags.IntVarP(&f.port, "port", "p", 5000, "port to listen on; 0 takes a free one")
	flags.StringVar(&f.prefix, "static-prefix", "", "path that all addresses begin with")
	flags.StringSliceVar(&f.hosts, "allowed-hosts", nil, "further names that clients may call this server by; * stands for anything")
	flags.StringSliceVar(&f.origins, "cors-allowed-origins", nil, "other origins whose pages may use this server; * stands for anything")
	flags.BoolVar(&f.unguarded, "disable-security-middleware", false, "let any host name and any origin in")
	flags.StringVar(&f.frames, "x-frame-options", "SAMEORIGIN", "SAMEORIGIN, DENY or NONE")
	flags.StringVar(&f.app, "app-name", "", "basic-auth: want a password, which is the token")
	flags.StringVar(&f.ui, "mlflow-ui", "", mlflowUIUsage)
	flags.StringVar(&f.token, "token", "", "what clients must send, as a bearer token or a password (default $TAXIMETER_TOKEN); needed on an address that is not loopback")
	flags.BoolVar(&f.insecure, "insecure", false, "listen on an address that is not loopback without a token")
	flags.BoolVar(&f.verbose, "verbose", false, "log each request")
	for _, name := range ignoredMLflowFlags {
		short := map[string]string{"workers": "w"}[name]
		flags.StringP(name, short, "", "does nothing here")
		_ = flags.MarkHidden(name) // it was just made
	}
	for _, name := range []string{"dev", "enable-workspaces", "disable-workspaces"} {
		flags.Bool(name, false, "does nothing here")
		_ = flags.MarkHidden(name)
	}
}

// environmentFlags sets flags that are not given from the environment, where
// MLflow looks: MLFLOW_ and the flag, for some MLFLOW_SERVER_.
func (a *app) environmentFlags(flags *pflag.FlagSet) (err error) {
	flags.VisitAll(func(f *pflag.Flag) {
		prefix := "MLFLOW_"
		switch f.Name {
		case "allowed-hosts", "cors-allowed-origins", "disable-security-middleware", "x-frame-options":
			prefix = "MLFLOW_SERVER_"
		case "token", "insecure", "verbose", "help", "json", "home", "mlflow-ui", "allow-artifact-location":
			return
		}
		name := prefix + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if value := a.Env(name); value != "" && !f.Changed && err == nil {
			if setErr := flags.Set(f.Name, value); setErr != nil {
				err = enginecmd.Usage("%s: %v", name, setErr)
			}
		}
	})
	return err
}

// location is where the flags say that things are kept.
func (f mlflowFlags) location() (at store.Location, err error) {
	if f.registry != "" && f.registry != f.backend {
		return at, enginecmd.Usage("--registry-store-uri %s: runs and models are kept in one database, the --backend-store-uri", f.registry)
	}
	if at.Database, err = databasePath(f.backend); err != nil {
		return at, err
	}
	if at.Artifacts, err = directoryPath("--artifacts-destination", f.destination); err != nil {
		return at, err
	}
	root := f.root
	if root == "" && (!f.serves || f.withholds) {
		root = "./mlruns"
	}
	u, err := url.Parse(root)
	switch {
	case err != nil:
		return at, enginecmd.Usage("--default-artifact-root: %v", err)
	case root == "" || u.Scheme == registry.ArtifactScheme:
		if strings.Trim(u.Path+u.Opaque, "/") != "" {
			at.Root = root
		}
	case u.Scheme == "" || u.Scheme == "file":
		dir, err := directoryPath("--default-artifact-root", root)
		if err != nil {
			return at, err
		}
		at.Root = (&url.URL{Scheme: "file", Path: filepath.ToSlash(dir)}).String()
		at.Local = append(at.Local, dir)
	default:
		if err := registry.CheckArtifactLocation(root); err != nil {
			return at, enginecmd.Usage("--default-artifact-root %s: %v", root, err)
		}
		at.Root = root
	}
	for _, dir := range f.local {
		if dir, err = directoryPath("--allow-artifact-location", dir); err != nil {
			return at, err
		}
		at.Local = append(at.Local, dir)
	}
	return at, nil
}

// databasePath is the file of a sqlite:/// URI.
func databasePath(uri string) (string, error) {
	file, ok := strings.CutPrefix(uri, "sqlite:///")
	file, _, _ = strings.Cut(file, "?")
	if !ok || file == "" {
		return "", enginecmd.Usage("--backend-store-uri %s: want sqlite:///PATH", uri).
			Hint("a folder of runs (mlruns) or another database can be imported: taximeter import --help")
	}
	return filepath.Abs(file)
}

// directoryPath is the directory that a path or a file: URI names.
func directoryPath(flag, name string) (string, error) {
	u, err := url.Parse(name)
	switch {
	case err == nil && u.Scheme == "file" && (u.Host == "" || u.Host == "localhost"):
		name = u.Path
	case err == nil && u.Scheme != "":
		return "", enginecmd.Usage("%s %s: want a directory", flag, name)
	}
	return filepath.Abs(filepath.FromSlash(name))
}
