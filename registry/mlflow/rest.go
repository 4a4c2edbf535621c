package mlflow

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/taximeter/taximeter/registry"
)

// servePlain serves the routes beside the API.
func (h *Handler) servePlain() {
	h.router.GET("/health", func(c echo.Context) error { return c.Blob(http.StatusOK, "text/plain; charset=utf-8", []byte("OK")) })
	h.router.GET("/version", func(c echo.Context) error { return c.Blob(http.StatusOK, "text/plain; charset=utf-8", []byte(Version)) })
	h.router.GET("/get-artifact", h.getArtifact)
	h.router.GET("/model-versions/get-artifact", h.getVersionArtifact)
	h.router.GET("/ajax-api/2.0/mlflow/get-artifact", h.getArtifact)
	h.router.POST("/ajax-api/2.0/mlflow/upload-artifact", h.uploadArtifact)
	h.router.GET("/ajax-api/2.0/mlflow/gateway-proxy", func(c echo.Context) error {
		return c.JSON(http.StatusOK, map[string][]string{"endpoints": {}})
	})
	h.router.GET("/ajax-api/3.0/mlflow/ui-telemetry", func(c echo.Context) error {
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

// serveRest answers for what of MLflow we do not do (traces, prompts'
// evaluation, gateways): a reader finds nothing, a writer is told. MLflow's
// clients retry 500 and 503 for minutes, but not 501.
func (h *Handler) serveRest(g *echo.Group) {
	rest := func(c echo.Context) error {
		path := c.Request().URL.Path
		reads := c.Request().Method == http.MethodGet || c.Request().Method == http.MethodPost &&
			(strings.HasSuffix(path, "/search") || strings.HasSuffix(path, "/metrics") || strings.HasSuffix(path, "/get-or-create-user"))
		if !reads {
			return registry.Errorf(registry.NotImplemented, "this server does not do %s", strings.TrimPrefix(path, "/"))
		}
		return c.JSON(http.StatusOK, struct{}{})
	}
	for _, family := range []string{"assistant", "traces", "datasets", "scorers", "review-queues", "label-schemas", "gateway", "mcp-servers"} {
		g.Any("/3.0/mlflow/"+family, rest)
		g.Any("/3.0/mlflow/"+family+"/*", rest)
	}
	for _, family := range []string{"traces", "webhooks"} {
		g.Any("/2.0/mlflow/"+family, rest)
		g.Any("/2.0/mlflow/"+family+"/*", rest)
	}
}
