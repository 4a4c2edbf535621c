package models

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/taximeter/taximeter/data"
	"github.com/taximeter/taximeter/features"
	"github.com/taximeter/taximeter/models/linear"
)

// writeDirectory writes the files of m into dir.
func writeDirectory(t testing.TB, dir string, m *Model, card Card) {
	t.Helper()
	files, err := m.Files(card)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		path := filepath.Join(dir, filepath.FromSlash(f.Name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Bytes, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func readFile(t testing.TB, dir, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDirectoryRoundTrip(t *testing.T) {
	for _, e := range []features.Encoding{features.Pair, features.Zones} {
		for _, m := range fitted(t, e) {
			dir := t.TempDir()
			writeDirectory(t, dir, m, Card{})
			back, err := Load(os.DirFS(dir))
			if err != nil {
				t.Fatal(err)
			}
			if back.Kind != m.Kind || back.Encoding != e {
				t.Errorf("%s became %s", m, back)
			}
			if got, want := predict(t, back), predict(t, m); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: predicts %v after loading, %v before", m, got, want)
			}
			other := t.TempDir()
			writeDirectory(t, other, back, Card{RunID: "other", CreatedAt: time.Now(), ModelID: "m-other"})
			for _, name := range []string{ModelFile, VectorizerFile} {
				before, after := readFile(t, dir, name), readFile(t, other, name)
				if !bytes.Equal(before, after) {
					t.Errorf("%s: %s depends on more than the model", m, name)
				}
			}
		}
	}
}

func TestMLmodel(t *testing.T) {
	trips := &data.Trips{PickupZone: data.Column[int32]{Values: []int32{43}}, DropoffZone: data.Column[int32]{Values: []int32{151}},
		Miles: data.Column[float64]{Values: []float64{1.01}}}
	v, err := features.Fit(features.Pair, trips)
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewLinear(features.Pair, v, &linear.Model{Weights: []float32{1, 2}})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	writeDirectory(t, dir, m, Card{
		RunID: "8f8f", ModelID: "m-1f", MLflowVersion: "3.17.2",
		CreatedAt: time.Date(2026, 3, 5, 7, 8, 9, 120000, time.FixedZone("", 3600)),
	})
	want := `artifact_path: "model"
flavors:
  python_function:
    code: code
    env:
      conda: conda.yaml
      virtualenv: python_env.yaml
    loader_module: taximeter_model
    python_version: "3.11"
  xgboost:
    code: null
    data: model.json
    model_class: xgboost.core.Booster
    model_format: json
    xgb_version: 1.7.6
is_signature_from_type_hint: false
metadata:
  features: "PU_DO,trip_distance"
  kind: linear
  vectorizer: vectorizer.json
mlflow_version: 3.17.2
model_id: "m-1f"
model_size_bytes: SIZE
model_uuid: "m-1f"
run_id: "8f8f"
saved_input_example_info:
  artifact_path: input_example.json
  pandas_orient: split
  serving_input_path: serving_input_example.json
  type: dataframe
signature:
  inputs: '[{"type":"long","name":"PULocationID","required":true},{"type":"long","name":"DOLocationID","required":true},{"type":"double","name":"trip_distance","required":false}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1]}}]'
  params: null
type_hint_from_example: false
utc_time_created: '2026-03-05 06:08:09.000120'
`
	size := 0
	for _, name := range []string{ModelFile, VectorizerFile, "code/taximeter_model.py", ExampleFile, "serving_input_example.json", "requirements.txt", "python_env.yaml", "conda.yaml"} {
		size += len(readFile(t, dir, name))
	}
	want = strings.Replace(want, "SIZE", strconv.Itoa(size), 1)
	if got := string(readFile(t, dir, MLmodelFile)); got != want {
		t.Errorf("MLmodel is\n%s\nwant\n%s", got, want)
	}
	if got, want := string(readFile(t, dir, ExampleFile)), `{"columns":["PULocationID","DOLocationID","trip_distance"],"data":[[43,151,1.01]]}`; got != want {
		t.Errorf("input example is %s, want %s", got, want)
	}
	if got, want := string(readFile(t, dir, VectorizerFile)), `{"features":"PU_DO","vectorizer":{"format":"dict-vectorizer","version":1,"width":2,"blocks":[{"name":"PU_DO","levels":["43_151"]}],"numbers":["trip_distance"]}}`; got != want {
		t.Errorf("vectorizer is %s, want %s", got, want)
	}
}
