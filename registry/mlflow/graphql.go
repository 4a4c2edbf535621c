package mlflow

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/taximeter/taximeter/registry/mlflow/graphql"
)

//go:embed schema.graphql
var schemaSource string

// serveGraphQL serves what MLflow's web interface asks in GraphQL. Its fields
// are endpoints of the REST API under other names.
func (h *Handler) serveGraphQL() {
	schema, err := graphql.NewSchema(schemaSource, "component")
	if err != nil {
		panic(err) // the schema is embedded
	}
	resolvers := h.resolvers()
	h.router.POST("/graphql", func(c echo.Context) error {
		r, err := readRequest(c)
		if err != nil {
			return err
		}
		q := graphql.Request{Query: r.need("query"), OperationName: r.text("operationName")}
		if r.err != nil {
			return r.err
		}
		q.Variables, _ = r.fields["variables"].(map[string]any)
		return blob(c, http.StatusOK, schema.Do(r.ctx, q, resolvers), "")
	})
}

func (h *Handler) resolvers() map[string]graphql.Resolve {
	return map[string]graphql.Resolve{
		"Query.mlflowGetExperiment":                h.field(getExperiment),
		"Query.mlflowGetRun":                       h.field(getRun),
		"Query.mlflowGetMetricHistoryBulkInterval": h.field(sampleMetrics),
		"Query.mlflowListArtifacts":                h.field(listArtifacts),
		"Query.mlflowSearchModelVersions":          h.field(searchVersions),
		"Query.mlflowSearchRuns":                   h.field(searchRuns),
		"Mutation.mlflowSearchRuns":                h.field(searchRuns),
		"Mutation.mlflowSearchDatasets":            h.field(searchDatasets),
		"Query.test":                               echoInput,
		"Mutation.testMutation":                    echoInput,
		"MlflowRunExtension.experiment":            h.experimentOfRun,
		"MlflowRunExtension.modelVersions":         h.versionsOfRun,
	}
}

func echoInput(_ context.Context, _, arguments map[string]any) (any, error) {
	return map[string]any{"output": arguments["input_string"]}, nil
}

// field makes an endpoint a field whose argument "input" has the endpoint's
// parameters.
func (h *Handler) field(answer endpoint) graphql.Resolve {
	return func(ctx context.Context, _, arguments map[string]any) (any, error) {
		input, _ := arguments["input"].(map[string]any)
		return h.ask(ctx, answer, input)
	}
}

// ask returns an endpoint's answer as JSON values.
func (h *Handler) ask(ctx context.Context, answer endpoint, parameters map[string]any) (map[string]any, error) {
	result, err := answer(h.service, &request{ctx: ctx, fields: parameters})
	if err != nil {
		return nil, errors.New(h.public(err, "/graphql").Message) // MLflow gives no code there
	}
	text, err := json.Marshal(result)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	values := map[string]any{"api_error": nil}
	return values, d.Decode(&values)
}

func (h *Handler) experimentOfRun(ctx context.Context, run, _ map[string]any) (any, error) {
	info, _ := run["info"].(map[string]any)
	answer, err := h.ask(ctx, getExperiment, map[string]any{"experiment_id": info["experiment_id"]})
	return answer["experiment"], err
}

func (h *Handler) versionsOfRun(ctx context.Context, run, _ map[string]any) (any, error) {
	info, _ := run["info"].(map[string]any)
	id, _ := info["run_id"].(string)
	answer, err := h.ask(ctx, searchVersions, map[string]any{"filter": "run_id = '" + id + "'"})
	return answer["model_versions"], err
}
