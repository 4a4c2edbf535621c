package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/engine/enginecmd"
	"github.com/taximeter/taximeter/engine/enginehttp"
	"github.com/taximeter/taximeter/registry/mlflow"
	"github.com/taximeter/taximeter/serve"
	"github.com/taximeter/taximeter/serve/predict"
	"github.com/taximeter/taximeter/serve/ui"
)

// serverFlags are what the user typed.
type serverFlags struct {
	addr, token, model, tracking, mlflowUI string
	hosts                                  []string
	insecure, verbose, noWorker            bool
	upkeep                                 enginecmd.UpkeepFlags
}

func (a *app) serverCommand() *cobra.Command {
	var f serverFlags
	cmd := &cobra.Command{
		Use:   "server",
		Short: "Serve MLflow's API, predictions of the staged model and a page, on one address",
		Long: `Serve everything on one address: MLflow's REST API for its clients (set
MLFLOW_TRACKING_URI to the address), POST /predict with the staged model, and a
page that shows flow runs, tracked runs and models. Trainings may run meanwhile,
in processes of their own on the same home; a newly staged model is swapped in.

The server runs what is due in the default work pool, each run in a process of its
own, and so it retrains every month, with the deployment train/monthly that it
makes in a new home: "taximeter deployment pause train/monthly" ends that, and
--no-worker leaves everything that is scheduled to other workers.`,
		Args: enginecmd.Wants(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.server(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.addr, "addr", serve.DefaultAddr, "host:port to listen on; port 0 takes a free one")
	flags.StringVar(&f.token, "token", "", "what clients must send, as a bearer token or a password (default $TAXIMETER_TOKEN); needed on an address that is not loopback")
	flags.BoolVar(&f.insecure, "insecure", false, "listen on an address that is not loopback without a token")
	flags.StringSliceVar(&f.hosts, "allowed-hosts", nil, "further names that clients may call this server by")
	flags.StringVar(&f.model, "model", predict.DefaultModel, "model to serve: models:/NAME/STAGE, models:/NAME/VERSION, models:/NAME@ALIAS or runs:/RUN_ID/model")
	flags.StringVar(&f.tracking, "tracking-uri", "", "address of an MLflow server whose registry to use (default $MLFLOW_TRACKING_URI, else the home's own)")
	flags.StringVar(&f.mlflowUI, "mlflow-ui", "", mlflowUIUsage+", to serve at /mlflow/")
	flags.BoolVar(&f.noWorker, "no-worker", false, "make and run nothing that is scheduled: leave it to \"taximeter worker start\"")
	f.upkeep.Add(flags)
	flags.BoolVar(&f.verbose, "verbose", false, "log each request")
	return cmd
}

// remoteEvery is how often a registry elsewhere is asked which model to serve.
const remoteEvery = 5 * time.Second

func (a *app) server(ctx context.Context, f serverFlags) error {
	ref, err := predict.ParseReference(f.model)
	if err != nil {
		return enginecmd.Usage("--model: %v", err)
	}
	if _, _, err := net.SplitHostPort(f.addr); err != nil {
		return enginecmd.Usage("--addr %q: want host:port, such as %s", f.addr, serve.DefaultAddr)
	}
	if f.token == "" {
		f.token = a.Env("TAXIMETER_TOKEN")
	}
	s := &serve.Server{Addr: f.addr, Token: f.token, Insecure: f.insecure, AllowedHosts: f.hosts}
	if err := s.Check(); err != nil {
		return enginecmd.Usage("%v", err)
	}
	uri, err := a.serverTracking(f)
	if err != nil {
		return err
	}
	interfaceFiles, err := openMLflowUI(f.mlflowUI)
	if err != nil {
		return err
	}
	log := a.Logger(f.verbose)
	upkeep, err := a.NewUpkeep(f.upkeep, !f.noWorker, log)
	if err != nil {
		return err
	}

	h, err := a.OpenHistory(ctx)
	if err != nil {
		return err
	}
	defer h.Close()
	t, err := a.openTracking(ctx, uri)
	if err != nil {
		return err
	}
	defer t.Close()
	loader := &predict.Loader{Registry: t, Model: ref, Log: log}
	if uri != "" {
		loader.Every = remoteEvery
	}
	_ = loader.Refresh(ctx) // logged; the server is of use without a model, and will find one later
	ctx, cancel := context.WithCancel(ctx)
	var loading sync.WaitGroup
	loading.Go(func() { loader.Run(ctx) })
	upkeep.Run(ctx, h, &loading)
	defer loading.Wait() // before what it reads is closed
	defer cancel()
	if !f.noWorker {
		if err := a.WorkWithin(ctx, &loading, h, log); err != nil {
			return err
		}
	}

	tracking := mlflow.NewHandler(t)
	tracking.UI = interfaceFiles
	flows := enginehttp.NewHandler(h, log, a.Flows...)
	defer context.AfterFunc(ctx, flows.Close)()
	prediction := &predict.Handler{Loader: loader}
	s.Log = log
	s.Ready = func(url string) { a.ready(url, loader) }
	s.Mounts = []serve.Mount{
		{Path: "/", Handler: ui.Handler()},
		{Path: enginehttp.Prefix, Handler: flows},
		{Path: enginehttp.DocsPath, Handler: flows},
		{Path: "/api/", Handler: tracking, MaxBody: -1}, // bounds JSON itself, streams artifacts
		{Path: "/ajax-api/", Handler: tracking, MaxBody: -1},
		{Path: "/get-artifact", Handler: tracking},
		{Path: "/model-versions/get-artifact", Handler: tracking},
		{Path: "/health", Handler: tracking},
		{Path: "/version", Handler: tracking},
		{Path: "/graphql", Handler: tracking},
		{Path: "/v1/traces", Handler: tracking},
		{Path: "/predict", Handler: prediction},
		{Path: "/ping", Handler: http.HandlerFunc(prediction.Ping)},
	}
	if interfaceFiles != nil {
		s.Mounts = append(s.Mounts,
			serve.Mount{Path: "/mlflow/", Handler: http.StripPrefix("/mlflow", tracking), MaxBody: -1},
			serve.Mount{Path: "/mlflow", Handler: http.RedirectHandler("/mlflow/", http.StatusPermanentRedirect)})
	}
	err = s.Run(ctx)
	var interrupt enginecmd.Interrupted
	if errors.As(context.Cause(ctx), &interrupt) && err == nil {
		a.Note("stopped: %v", interrupt)
	}
	return err
}

// serverTracking is the address of the registry to serve, empty for the home's
// own. A shell in which MLFLOW_TRACKING_URI names this very server is common and
// must not make the server ask itself.
func (a *app) serverTracking(f serverFlags) (string, error) {
	uri, err := a.trackingURI(f.tracking)
	if err != nil || uri == "" {
		return "", err
	}
	u, err := url.Parse(uri)
	if err != nil {
		return "", enginecmd.Usage("%s: %v", uri, err)
	}
	if !sameAddress(u.Host, f.addr) {
		return uri, nil
	}
	if f.tracking != "" {
		return "", enginecmd.Usage("--tracking-uri %s is the address this server is to listen on", uri)
	}
	return "", nil
}

func sameAddress(a, b string) bool {
	ahost, aport, aerr := net.SplitHostPort(a)
	bhost, bport, berr := net.SplitHostPort(b)
	if aerr != nil || berr != nil || aport != bport {
		return false
	}
	loopback := func(host string) bool {
		return host == "localhost" || net.ParseIP(host).IsLoopback()
	}
	return ahost == bhost || loopback(ahost) && loopback(bhost)
}

// ready tells where the server is.
func (a *app) ready(url string, loader *predict.Loader) {
	model := "none is staged yet (taximeter train makes one)"
	version := ""
	if m := loader.Current(); m != nil {
		version = m.Version
		model = fmt.Sprintf("%s version %s", m.Model, version)
	}
	if a.JSON {
		_ = a.PrintJSON(map[string]string{"url": url, "model_version": version}) // the server goes on without a reader
		return
	}
	fmt.Fprintf(a.Out, `page      %s/
MLflow    export MLFLOW_TRACKING_URI=%s
model     %s
predict   curl -s %s/predict -H 'Content-Type: application/json' -d '{"PULocationID":43,"DOLocationID":151,"trip_distance":1.01}'
`, url, url, model, url)
}
