package mlflow

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/taximeter/taximeter/registry"
)

// Version is what /version answers. MLflow 3 clients send traces by OTLP to
// servers from 3.4 on; this is the newest version that takes none.
const Version = "3.3.2"

// MaxBody is the largest JSON body taken, in bytes. Artifacts have no bound.
const MaxBody = 32 << 20

// Handler serves MLflow's REST API, below /api and /ajax-api, and what is beside
// it: /graphql, /get-artifact, /model-versions/get-artifact, /health, /version
// and the web interface. Set its fields before it serves.
type Handler struct {
	// UI has the files of MLflow's own web interface, as an installed mlflow
	// has them in mlflow/server/js/build; nil: there is none.
	UI fs.FS

	NoFiles   bool // do not take or give artifacts for clients
	OnlyFiles bool // do nothing else

	service registry.Service
	router  *echo.Echo
	log     *slog.Logger
}

// NewHandler returns a handler of the service's API. Who may call it, and from
// which origin, is the business of whoever mounts it.
func NewHandler(service registry.Service) *Handler {
	h := &Handler{service: service, router: echo.New(), log: slog.Default()}
	h.router.HTTPErrorHandler = func(err error, c echo.Context) { h.fail(c, err) }
	h.router.Use(checkWorkspace, h.checkServed)
	for _, prefix := range []string{"/api", "/ajax-api"} {
		for _, version := range []string{"/2.0", "/3.0"} {
			h.serveJSON(h.router.Group(prefix + version + "/mlflow"))
		}
		h.serveFiles(h.router.Group(prefix + "/2.0/mlflow-artifacts"))
		h.serveLoggedModelFiles(h.router.Group(prefix + "/2.0/mlflow"))
		h.serveRest(h.router.Group(prefix))
	}
	h.servePlain()
	h.serveJobs()
	h.serveGraphQL()
	h.serveUI()
	return h
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.router.ServeHTTP(w, r) }

// endpoint answers a request with what is to be its JSON; nil is {}.
type endpoint func(s registry.Service, r *request) (any, error)

func (h *Handler) serveJSON(g *echo.Group) {
	for _, e := range []struct {
		method, path string
		answer       endpoint
	}{
		{"POST", "/experiments/create", createExperiment},
		{"GET", "/experiments/get", getExperiment},
		{"GET", "/experiments/get-by-name", getExperimentByName},
		{"GET", "/experiments/search", searchExperiments},
		{"POST", "/experiments/search", searchExperiments},
		{"POST", "/experiments/update", updateExperiment},
		{"POST", "/experiments/delete", deleteExperiment},
		{"POST", "/experiments/restore", restoreExperiment},
		{"POST", "/experiments/set-experiment-tag", setExperimentTag},
		{"POST", "/experiments/delete-experiment-tag", deleteExperimentTag},
		{"POST", "/experiments/search-datasets", searchDatasets},

		{"POST", "/runs/create", createRun},
		{"GET", "/runs/get", getRun},
		{"POST", "/runs/update", updateRun},
		{"POST", "/runs/delete", deleteRun},
		{"POST", "/runs/restore", restoreRun},
		{"POST", "/runs/search", searchRuns},
		{"POST", "/runs/log-batch", logBatch},
		{"POST", "/runs/log-metric", logMetric},
		{"POST", "/runs/log-parameter", logParam},
		{"POST", "/runs/set-tag", setTag},
		{"POST", "/runs/delete-tag", deleteTag},
		{"POST", "/runs/log-inputs", logInputs},
		{"POST", "/runs/outputs", logOutputs},
		{"POST", "/runs/log-model", logModel},
		{"GET", "/metrics/get-history", getHistory},
		{"GET", "/metrics/get-history-bulk", getHistoryBulk},
		{"GET", "/metrics/get-history-bulk-interval", sampleMetrics},
		{"GET", "/artifacts/list", listArtifacts},

		{"POST", "/registered-models/create", createModel},
		{"GET", "/registered-models/get", getModel},
		{"GET", "/registered-models/search", searchModels},
		{"PATCH", "/registered-models/update", updateModel},
		{"POST", "/registered-models/rename", renameModel},
		{"DELETE", "/registered-models/delete", deleteModel},
		{"POST", "/registered-models/set-tag", setModelTag},
		{"DELETE", "/registered-models/delete-tag", deleteModelTag},
		{"GET", "/registered-models/get-latest-versions", latestVersions},
		{"POST", "/registered-models/get-latest-versions", latestVersions},
		{"POST", "/registered-models/alias", setAlias},
		{"DELETE", "/registered-models/alias", deleteAlias},
		{"GET", "/registered-models/alias", getByAlias},

		{"POST", "/model-versions/create", createVersion},
		{"GET", "/model-versions/get", getVersion},
		{"GET", "/model-versions/search", searchVersions},
		{"PATCH", "/model-versions/update", updateVersion},
		{"DELETE", "/model-versions/delete", deleteVersion},
		{"POST", "/model-versions/transition-stage", transitionStage},
		{"POST", "/model-versions/set-tag", setVersionTag},
		{"DELETE", "/model-versions/delete-tag", deleteVersionTag},
		{"GET", "/model-versions/get-download-uri", versionURI},

		{"POST", "/logged-models", createLoggedModel},
		{"POST", "/logged-models/search", searchLoggedModels},
		{"GET", "/logged-models/:model_id", getLoggedModel},
		{"PATCH", "/logged-models/:model_id", finalizeLoggedModel},
		{"DELETE", "/logged-models/:model_id", deleteLoggedModel},
		{"PATCH", "/logged-models/:model_id/tags", setLoggedModelTags},
		{"DELETE", "/logged-models/:model_id/tags/:key", deleteLoggedModelTag},
		{"POST", "/logged-models/:model_id/params", logLoggedModelParams},
		{"GET", "/logged-models/:model_id/artifacts/directories", listLoggedModelArtifacts},

		{"GET", "/server-info", serverInfo},
	} {
		methods := []string{e.method}
		if e.method == http.MethodGet {
			methods = reading
		}
		g.Match(methods, e.path, h.json(e.answer))
	}
}

// reading are the methods of what may be got: who watches a server asks with HEAD.
var reading = []string{http.MethodGet, http.MethodHead}

// json makes an endpoint a handler: it reads the request, and writes the answer
// as MLflow does.
func (h *Handler) json(answer endpoint) echo.HandlerFunc {
	return func(c echo.Context) error {
		r, err := readRequest(c)
		if err != nil {
			return err
		}
		result, err := answer(h.service, r)
		if err != nil {
			return err
		}
		return writeJSON(c, result)
	}
}

// fail answers with an error. What is not the client's mistake is logged here
// and told without detail.
func (h *Handler) fail(c echo.Context, err error) {
	if c.Response().Committed {
		h.log.Warn("answer broke off", "path", c.Request().URL.Path, "error", err)
		return
	}
	if e, ok := errors.AsType[*detailError](err); ok {
		if err := c.JSON(e.status, map[string]string{"detail": e.detail}); err != nil {
			h.log.Warn("answer broke off", "path", c.Request().URL.Path, "error", err)
		}
		return
	}
	if e, ok := errors.AsType[*echo.HTTPError](err); ok {
		err = routeError(c, e)
	}
	if err := writeError(c, h.public(err, c.Request().URL.Path)); err != nil {
		h.log.Warn("answer broke off", "path", c.Request().URL.Path, "error", err)
	}
}

// public returns what a client may know of an error.
func (h *Handler) public(err error, path string) *registry.Error {
	e, ok := errors.AsType[*registry.Error](err)
	switch {
	case ok:
		return e
	case isFull(err):
		h.log.Error("request failed", "path", path, "error", err)
		return &registry.Error{Code: resourceExhausted, Message: "the server's disk is full: nothing was written", Err: err}
	case errors.Is(err, context.Canceled):
		return registry.Errorf("CANCELLED", "the request was cancelled")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return registry.Errorf(registry.BadRequest, "the body broke off")
	}
	h.log.Error("request failed", "path", path, "error", err)
	return registry.Errorf(registry.InternalError, "the server could not do this; its log says why")
}

// routeError is what a route that is not there, or not for this method, says.
func routeError(c echo.Context, e *echo.HTTPError) error {
	what := strings.ToValidUTF8(c.Request().Method+" "+c.Request().URL.Path, "?")
	switch e.Code {
	case http.StatusNotFound:
		return registry.Errorf(registry.EndpointNotFound, "no such endpoint: %.200s", what)
	case http.StatusMethodNotAllowed:
		return registry.Errorf(methodNotAllowed, "method not allowed: %.200s", what)
	case http.StatusRequestEntityTooLarge:
		return registry.Errorf(registry.InvalidParameterValue, "the body is larger than %d bytes", MaxBody)
	}
	return registry.Errorf(registry.BadRequest, "%v", e.Message)
}

// checkWorkspace refuses workspaces other than the only one there is.
func checkWorkspace(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if w := strings.TrimSpace(c.Request().Header.Get("X-MLFLOW-WORKSPACE")); w != "" && w != "default" {
			return registry.Errorf(registry.InvalidParameterValue, "this server has no workspaces but 'default'")
		}
		return next(c)
	}
}

// checkServed refuses what this server was told not to do. (MLflow answers 503,
// which its clients repeat for minutes.)
func (h *Handler) checkServed(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		path := c.Request().URL.Path
		files := strings.Contains(path, "/mlflow-artifacts/")
		switch {
		case files && h.NoFiles:
			return registry.Errorf(registry.NotImplemented, "Endpoint: %.200s disabled due to the mlflow server running with `--no-serve-artifacts`.", path)
		case !files && h.OnlyFiles && path != "/health" && path != "/version":
			return registry.Errorf(registry.NotImplemented, "Endpoint: %.200s disabled due to the mlflow server running in `--artifacts-only` mode.", path)
		}
		return next(c)
	}
}
