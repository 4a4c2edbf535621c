//go:build parity

package mlflow_test

import (
	"os"
	"testing"

	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/mlflow"
	"github.com/taximeter/taximeter/registry/registrytest"
)

// TestRealServer holds MLflow's own server, at MLFLOW_SERVER_URL, to the rules
// through our client.
func TestRealServer(t *testing.T) {
	url := os.Getenv("MLFLOW_SERVER_URL")
	if url == "" {
		t.Fatal("MLFLOW_SERVER_URL is not set: start `mlflow server` 3.17.2 with a fresh SQLite store and give its address")
	}
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
}
