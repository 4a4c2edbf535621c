package models

import (
	"encoding/json"
	"fmt"
	"strings"
)

// What the layout was checked with, and what a Python environment for it holds.
const (
	mlflowVersion  = "3.17.2"
	xgboostVersion = "1.7.6"
	pythonVersion  = "3.11"
)

const pythonEnv = `python: ` + pythonVersion + `
build_dependencies:
- pip
- setuptools
- wheel
dependencies:
- -r requirements.txt
`

func (c Card) packages() []string {
	return []string{"mlflow==" + c.MLflowVersion, "xgboost==" + xgboostVersion, "pandas", "scipy"}
}

func (c Card) requirements() string { return strings.Join(c.packages(), "\n") + "\n" }

func (c Card) conda() string {
	var b strings.Builder
	b.WriteString("name: mlflow-env\nchannels:\n- conda-forge\ndependencies:\n- python=" + pythonVersion + "\n- pip\n- pip:\n")
	for _, p := range c.packages() {
		b.WriteString("  - " + p + "\n")
	}
	return b.String()
}

// column is one of a table, as MLflow's signatures describe it.
type column struct {
	Type     string `json:"type"`
	Name     string `json:"name"`
	Required bool   `json:"required"`
}

// rideColumns are what the model asks of a ride. It can do without a distance;
// that of a ride may be NaN, too.
var rideColumns = []column{
	{Type: "long", Name: "PULocationID", Required: true},
	{Type: "long", Name: "DOLocationID", Required: true},
	{Type: "double", Name: "trip_distance"},
}

// mlmodel writes the MLmodel file. The signature is of rides: the matrix that
// mlflow.xgboost.load_model's booster reads is the business of the Python code.
func (c Card) mlmodel(m *Model, size int) string {
	var b strings.Builder
	line := func(format string, args ...any) {
		fmt.Fprintf(&b, format+"\n", args...)
	}
	line("artifact_path: %s", quote(c.ArtifactPath))
	line("flavors:")
	line("  python_function:")
	line("    code: %s", codeDir)
	line("    env:")
	line("      conda: conda.yaml")
	line("      virtualenv: python_env.yaml")
	line("    loader_module: %s", codeModule)
	line("    python_version: %s", quote(pythonVersion))
	line("  xgboost:")
	line("    code: null")
	line("    data: %s", ModelFile)
	line("    model_class: xgboost.core.Booster")
	line("    model_format: json")
	line("    xgb_version: %s", xgboostVersion)
	line("is_signature_from_type_hint: false")
	line("metadata:")
	line("  features: %s", quote(strings.Join(m.Encoding.Names(), ",")))
	line("  kind: %s", m.Kind)
	line("  vectorizer: %s", VectorizerFile)
	line("mlflow_version: %s", c.MLflowVersion)
	if c.ModelID != "" {
		line("model_id: %s", quote(c.ModelID))
	}
	line("model_size_bytes: %d", size)
	line("model_uuid: %s", quote(c.ModelUUID))
	if c.RunID != "" {
		line("run_id: %s", quote(c.RunID))
	}
	line("saved_input_example_info:")
	line("  artifact_path: %s", ExampleFile)
	line("  pandas_orient: split")
	line("  serving_input_path: %s", servingFile)
	line("  type: dataframe")
	inputs, _ := json.Marshal(rideColumns) // strings always can be
	line("signature:")
	line("  inputs: '%s'", inputs)
	line(`  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1]}}]'`)
	line("  params: null")
	line("type_hint_from_example: false")
	if !c.CreatedAt.IsZero() {
		line("utc_time_created: '%s'", c.CreatedAt.UTC().Format("2006-01-02 15:04:05.000000"))
	}
	return b.String()
}

// quote writes a YAML string; a JSON string is one.
func quote(s string) string {
	b, _ := json.Marshal(s) // a string always can be
	return string(b)
}
