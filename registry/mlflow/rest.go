package mlflow

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/taximeter/taximeter/registry"
)

// servePlain serves the routes beside the API.
func (h *Handler) servePlain() {
	h.router.Match(reading, "/health", func(c echo.Context) error { return c.Blob(http.StatusOK, "text/plain; charset=utf-8", []byte("OK")) })
	h.router.Match(reading, "/version", func(c echo.Context) error { return c.Blob(http.StatusOK, "text/plain; charset=utf-8", []byte(Version)) })
	h.router.Match(reading, "/get-artifact", h.getArtifact)
	h.router.Match(reading, "/model-versions/get-artifact", h.getVersionArtifact)
	h.router.Match(reading, "/ajax-api/2.0/mlflow/get-artifact", h.getArtifact)
	h.router.POST("/ajax-api/2.0/mlflow/upload-artifact", h.uploadArtifact)
	h.router.Match(reading, "/ajax-api/2.0/mlflow/gateway-proxy", func(c echo.Context) error {
		return c.JSON(http.StatusOK, map[string][]string{"endpoints": {}})
	})
	h.router.Match(reading, "/ajax-api/3.0/mlflow/ui-telemetry", func(c echo.Context) error {
		return c.JSON(http.StatusOK, map[string]any{"disable_ui_events": []string{}, "disable_ui_telemetry": true, "ui_rollout_percentage": 0})
	})
	h.router.POST("/ajax-api/3.0/mlflow/ui-telemetry", func(c echo.Context) error {
		return c.JSON(http.StatusOK, map[string]string{"status": "disabled"})
	})
}

// serverInfo tells clients and user interface what not to ask for.
func serverInfo(registry.Service, *request) (any, error) {
	return map[string]any{
		"store_type": "SqlStore", "workspaces_enabled": false, "trace_archival_enabled": false,
		"multipart_uploads_enabled": false, "multipart_downloads_enabled": false,
		"features_enabled": map[string]bool{"gateway": false},
	}, nil
}

// The families of endpoints that we do not do. MLflow's web interface reads
// some of them on every page.
var (
	families3 = []string{"assistant", "traces", "datasets", "scorers", "scorer", "review-queues", "label-schemas", "gateway", "mcp-servers",
		"issues", "prompt-optimization", "genai", "demo", "workspaces", "jobs"}
	families2 = []string{"traces", "unified-traces", "webhooks", "get-online-trace-details"}
)

// serveRest answers for what of MLflow we do not do (traces, prompts'
// evaluation, gateways): a reader finds nothing, a writer is told. MLflow's
// clients retry 500 and 503 for minutes, but not 501.
func (h *Handler) serveRest(g *echo.Group) {
	for _, family := range families3 {
		g.Any("/3.0/mlflow/"+family, rest)
		g.Any("/3.0/mlflow/"+family+"/*", rest)
	}
	for _, family := range families2 {
		g.Any("/2.0/mlflow/"+family, rest)
		g.Any("/2.0/mlflow/"+family+"/*", rest)
	}
	for _, version := range []string{"/2.0", "/3.0"} {
		g.Match(reading, version+"/mlflow/get-trace-artifact", func(c echo.Context) error { return noTrace(c.QueryParam("request_id")) })
	}
	g.POST("/2.0mlflow/experiments/search-datasets", h.json(searchDatasets)) // so it stands in MLflow's protocol, beside the right one
	g.POST("/2.0/mlflow/runs/create-promptlab-run", notDone)
	g.POST("/2.0/mlflow/gateway-proxy", notDone)
	g.Match(reading, "/3.0/mlflow/workspaces", notDone)
	g.Match(reading, "/3.0/mlflow/workspaces/*", notDone)
	g.Match(reading, "/3.0/mlflow/traces/get", func(c echo.Context) error { return noTrace(c.QueryParam("trace_id")) })
	g.Match(reading, "/3.0/mlflow/traces/:id", func(c echo.Context) error {
		if c.Param("id") == "batchGet" {
			return c.JSON(http.StatusOK, struct{}{})
		}
		return noTrace(c.Param("id"))
	})
	g.Match(reading, "/2.0/mlflow/traces/:id/info", func(c echo.Context) error { return noTrace(c.Param("id")) })
	g.POST("/2.0/mlflow/artifacts/presigned-upload-url", notPresigned("upload"))
	g.POST("/2.0/mlflow/artifacts/presigned-download-url", notPresigned("download"))
}

// serveJobs answers for the jobs of MLflow's server, of which there are none.
func (h *Handler) serveJobs() {
	detail := func(status int, format string, args ...any) error {
		return &detailError{status, fmt.Sprintf(format, args...)}
	}
	jobs := h.router.Group("/ajax-api/3.0/jobs")
	jobs.POST("/search", func(c echo.Context) error { return c.JSON(http.StatusOK, map[string]any{"jobs": []any{}}) })
	jobs.POST("/", func(echo.Context) error {
		return detail(http.StatusBadRequest, "Invalid job name: this server runs no jobs")
	})
	jobs.Match(reading, "/:id", func(c echo.Context) error {
		return detail(http.StatusNotFound, "Job with ID %.100s not found", c.Param("id"))
	})
	jobs.PATCH("/cancel/:id", func(c echo.Context) error {
		return detail(http.StatusNotFound, "Job with ID %.100s not found", c.Param("id"))
	})
	h.router.POST("/v1/traces", notDone)
	h.router.Any("/gateway/*", notDone)
}

// rest answers a read with nothing and refuses a write.
func rest(c echo.Context) error {
	path := c.Request().URL.Path
	reads := slices.Contains(reading, c.Request().Method) || c.Request().Method == http.MethodPost &&
		(strings.HasSuffix(path, "/search") || strings.HasSuffix(path, "/metrics") || strings.HasSuffix(path, "/get-or-create-user"))
	if !reads {
		return notDone(c)
	}
	return c.JSON(http.StatusOK, struct{}{})
}

func notDone(c echo.Context) error {
	return registry.Errorf(registry.NotImplemented, "this server does not do %.200s", strings.TrimPrefix(c.Request().URL.Path, "/"))
}

func noTrace(id string) error {
	return registry.Errorf(registry.ResourceDoesNotExist, "Trace with ID '%.100s' not found.", id)
}

// notPresigned tells clients that artifacts go through the server.
func notPresigned(what string) echo.HandlerFunc {
	return func(echo.Context) error {
		return registry.Errorf(registry.InvalidParameterValue, "Presigned %s is not supported for proxied artifact storage "+
			"(artifact URI scheme: %s). This endpoint requires a direct cloud storage artifact URI.", what, registry.ArtifactScheme)
	}
}

// detailError is how a part of MLflow's server tells errors: without a code.
type detailError struct {
	status int
	detail string
}

func (e *detailError) Error() string { return e.detail }
