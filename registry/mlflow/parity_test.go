//go:build parity

package mlflow_test

import (
	"testing"

	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/mlflow"
	"github.com/taximeter/taximeter/registry/registrytest"
)

// TestRealServer holds MLflow's own server to the rules, through our client.
func TestRealServer(t *testing.T) {
	url := registrytest.StartMLflow(t)
	registrytest.Suite{
		New:    func(*testing.T) registry.Service { return &mlflow.Client{BaseURL: url, Retries: 1} },
		Exempt: realServer,
	}.Run(t)
}

// realServer says which rules MLflow 3.17.2's own server breaks, and how.
var realServer = map[string]string{
	"experiment/paths on the server's disk are refused as locations": "it lets clients name any path of its disk",
	"experiment/a rename to a taken name is refused":                 "it answers BAD_REQUEST with the SQL statement",
	"run/an unknown status is refused":                               "it ignores statuses that it does not know",
	"search/a field twice in the order is refused":                   "it answers 500",
	"artifact/a folder is not overwritten":                           "it answers 500, and writes nothing",
	"version/archiving into Archived is refused":                     "it answers 500",
	"order/unknown attributes of logged models are refused":          "it answers 500 with a Python error",
	"dataset/a search tells the models that a run read":              "it tells them in runs/get only",
	"source/a stage without versions is not found":                   "it answers 500",
	"paging/what is no token of logged models is refused":            "it answers 500",
}
