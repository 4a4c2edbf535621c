package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/engine/enginecmd"

	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/registry/mlflow"
	"github.com/taximeter/taximeter/registry/store"
	"github.com/taximeter/taximeter/serve"
)

func (a *app) mlflowServerCommand() *cobra.Command {
	var f mlflowFlags
	cmd := &cobra.Command{
		Use:   "mlflow-server",
		Short: "Serve MLflow's API alone, with the flags of mlflow server",
		Long: `Serve MLflow's tracking and registry API, and with --mlflow-ui its web interface,
taking the flags of "mlflow server" and the environment variables beside them
(MLFLOW_BACKEND_STORE_URI, MLFLOW_HOST, MLFLOW_SERVER_ALLOWED_HOSTS, …). What a
database of MLflow's own holds must be imported first.`,
		Args: enginecmd.Wants(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := a.environmentFlags(cmd.Flags()); err != nil {
				return err
			}
			return a.mlflowServer(cmd.Context(), f)
		},
	}
	f.define(cmd.Flags())
	return cmd
}

func (a *app) mlflowServer(ctx context.Context, f mlflowFlags) error {
	at, err := f.location()
	if err != nil {
		return err
	}
	if f.token == "" {
		f.token = a.Env("TAXIMETER_TOKEN")
	}
	if f.app != "" && (f.app != "basic-auth" || f.token == "") {
		return enginecmd.Usage("--app-name %s: want basic-auth, and the password as --token or $TAXIMETER_TOKEN", f.app)
	}
	s := &serve.Server{Addr: net.JoinHostPort(f.host, strconv.Itoa(f.port)), Token: f.token, Insecure: f.insecure,
		AllowedHosts: f.hosts, TrustedOrigins: f.origins, FrameOptions: strings.ToUpper(f.frames), Log: a.Logger(f.verbose)}
	if f.unguarded {
		s.AllowedHosts, s.TrustedOrigins, s.FrameOptions = []string{"*"}, []string{"*"}, "NONE"
	}
	if err := s.Check(); err != nil {
		return enginecmd.Usage("%v", err)
	}
	interfaceFiles, err := openMLflowUI(f.ui)
	if err != nil {
		return err
	}
	tracked, err := store.OpenAt(ctx, at)
	if errors.Is(err, sqlite.ErrForeign) {
		return enginecmd.Failure(enginecmd.ExitFailed, err).Hint("to bring what it holds into a registry of taximeter's: taximeter import %s", at.Database)
	}
	if err != nil {
		return err
	}
	defer tracked.Close()

	handler := mlflow.NewHandler(tracked)
	handler.UI = interfaceFiles
	handler.NoFiles = !f.serves || f.withholds
	handler.OnlyFiles = f.filesOnly
	if s.Mounts, err = f.mounts(handler); err != nil {
		return err
	}
	s.Ready = func(address string) {
		if a.JSON {
			_ = a.PrintJSON(map[string]string{"url": address + f.prefix}) // the server goes on without a reader
			return
		}
		fmt.Fprintf(a.Out, "MLflow    export MLFLOW_TRACKING_URI=%s%s\n", address, f.prefix)
		if interfaceFiles != nil {
			fmt.Fprintf(a.Out, "pages     %s%s/\n", address, f.prefix)
		}
	}
	return s.Run(ctx)
}

// mounts puts the handler below the prefix; of artifacts MLflow's clients ask
// without it as well.
func (f mlflowFlags) mounts(handler http.Handler) ([]serve.Mount, error) {
	if f.prefix == "" {
		return []serve.Mount{{Path: "/", Handler: handler, MaxBody: -1}}, nil
	}
	if !strings.HasPrefix(f.prefix, "/") || strings.HasSuffix(f.prefix, "/") || strings.ContainsAny(f.prefix, "*:?#") {
		return nil, enginecmd.Usage("--static-prefix %q must begin with a slash, and not end with one", f.prefix)
	}
	return []serve.Mount{
		{Path: f.prefix + "/", Handler: http.StripPrefix(f.prefix, handler), MaxBody: -1},
		{Path: f.prefix, Handler: http.RedirectHandler(f.prefix+"/", http.StatusPermanentRedirect)},
		{Path: "/api/2.0/mlflow-artifacts/", Handler: handler, MaxBody: -1},
		{Path: "/ajax-api/2.0/mlflow-artifacts/", Handler: handler, MaxBody: -1},
		{Path: "/health", Handler: handler},
	}, nil
}
