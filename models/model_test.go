package models

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/taximeter/taximeter/data"
	"github.com/taximeter/taximeter/features"
	"github.com/taximeter/taximeter/models/gbt"
	"github.com/taximeter/taximeter/models/linear"
)

// month is a small made-up month: some pairs of zones, each with its own time.
func month(rows int) (*data.Trips, []float64) {
	t := &data.Trips{}
	var minutes []float64
	state := uint64(7)
	below := func(n int) int {
		state = state*6364136223846793005 + 1442695040888963407
		return int((state >> 33) % uint64(n))
	}
	for range rows {
		pickup, dropoff := int32(1+below(9)*13), int32(1+below(9)*13)
		miles := float64(below(1500)) / 100
		t.PickupZone.Values, t.DropoffZone.Values = append(t.PickupZone.Values, pickup), append(t.DropoffZone.Values, dropoff)
		t.Miles.Values = append(t.Miles.Values, miles)
		minutes = append(minutes, 2+float64(pickup%7)+2.5*miles+float64(below(300))/100)
	}
	return t, minutes
}

// fitted returns one model of each kind.
func fitted(t testing.TB, e features.Encoding) []*Model {
	t.Helper()
	trips, y := month(2000)
	v, err := features.Fit(e, trips)
	if err != nil {
		t.Fatal(err)
	}
	x, err := v.Transform(features.FromTrips(e, trips))
	if err != nil {
		t.Fatal(err)
	}
	l, err := linear.Fit(context.Background(), x, y, linear.Params{})
	if err != nil {
		t.Fatal(err)
	}
	baseline, err := NewLinear(e, v, l)
	if err != nil {
		t.Fatal(err)
	}
	params := gbt.Defaults()
	params.Rounds = 8
	params.EarlyStopping = 3
	trees, err := gbt.Fit(context.Background(), gbt.Set{X: x, Y: y}, []gbt.Set{{X: x, Y: y}}, params, nil)
	if err != nil {
		t.Fatal(err)
	}
	boosted, err := NewGBT(e, v, trees)
	if err != nil {
		t.Fatal(err)
	}
	return []*Model{baseline, boosted}
}

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

var someRides = []features.Ride{
	{PULocationID: 1, DOLocationID: 14, TripDistance: 1.01},
	{PULocationID: 14, DOLocationID: 1, TripDistance: 0},
	{PULocationID: 40, DOLocationID: 53, TripDistance: 244152.01},
	{PULocationID: 264, DOLocationID: 265, TripDistance: 3},
	{PULocationID: data.NoZone, DOLocationID: 1, TripDistance: math.NaN()},
}

func predict(t testing.TB, m *Model) []float32 {
	t.Helper()
	out := make([]float32, len(someRides))
	if err := m.PredictRides(someRides, out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestPredictsSensibly(t *testing.T) {
	for _, m := range fitted(t, features.Pair) {
		got := make([]float32, 2)
		rides := []features.Ride{{PULocationID: 1, DOLocationID: 14, TripDistance: 2}, {PULocationID: 1, DOLocationID: 14, TripDistance: 12}}
		if err := m.PredictRides(rides, got); err != nil {
			t.Fatal(err)
		}
		if !(got[0] > 4 && got[1] > got[0]+10) {
			t.Errorf("%s: 2 and 12 miles take %v minutes", m, got)
		}
	}
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

func readFile(t testing.TB, dir, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestZeroEncodingIsPair(t *testing.T) {
	m := fitted(t, features.Pair)[0]
	unnamed := *m
	unnamed.Encoding = ""
	a, err := Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Encode(&unnamed)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a, b) {
		t.Error("a model with the default encoding unnamed has other bytes")
	}
}

func TestEncodeRoundTrip(t *testing.T) {
	for _, m := range fitted(t, features.Pair) {
		b, err := Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := predict(t, back), predict(t, m); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: predicts %v after decoding, %v before", m, got, want)
		}
		again, err := Encode(back)
		if err != nil || !bytes.Equal(again, b) {
			t.Errorf("%s: bytes changed in a round trip, %v", m, err)
		}
		for _, n := range []int{0, 5, len(magic), len(magic) + 3, len(b) / 2, len(b) - 1} {
			if _, err := Decode(b[:n]); err == nil {
				t.Errorf("%s: the first %d bytes decode", m, n)
			}
		}
		if _, err := Decode(append(b, 0)); err == nil {
			t.Errorf("%s: a byte too many decodes", m)
		}
	}
}

// Stores may still hold what the first version wrote.
func TestDecodeFirstVersion(t *testing.T) {
	for _, m := range fitted(t, features.Pair) {
		regressor, err := m.modelJSON()
		if err != nil {
			t.Fatal(err)
		}
		vectorizer, err := m.vectorizerJSON()
		if err != nil {
			t.Fatal(err)
		}
		b := []byte("taximeter model 1\n")
		for _, part := range [][]byte{[]byte(m.Kind), vectorizer, regressor} {
			b = append(binary.AppendUvarint(b, uint64(len(part))), part...)
		}
		back, err := Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := predict(t, back), predict(t, m); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: predicts %v after decoding, %v before", m, got, want)
		}
	}
}

func TestRefusesPartsThatDoNotMatch(t *testing.T) {
	pair, zones := fitted(t, features.Pair), fitted(t, features.Zones)
	for want, m := range map[string]*Model{
		"model reads":                  {Kind: Linear, Encoding: features.Pair, Vectorizer: pair[0].Vectorizer, Linear: zones[0].Linear},
		"vectorizer is not for":        {Kind: Linear, Encoding: features.Zones, Vectorizer: pair[0].Vectorizer, Linear: pair[0].Linear},
		`kind "gbt" has linear true`:   {Kind: GBT, Encoding: features.Pair, Vectorizer: pair[0].Vectorizer, Linear: pair[0].Linear},
		`kind "linear" has linear tr`:  {Kind: Linear, Encoding: features.Pair, Vectorizer: pair[0].Vectorizer, Linear: pair[0].Linear, Trees: pair[1].Trees},
		"no vectorizer":                {Kind: Linear, Linear: pair[0].Linear},
		`unknown feature encoding "x"`: {Kind: Linear, Encoding: "x", Vectorizer: pair[0].Vectorizer, Linear: pair[0].Linear},
	} {
		if _, err := m.Files(Card{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Files: error %v, want %q in it", err, want)
		}
		if _, err := Encode(m); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Encode: error %v, want %q in it", err, want)
		}
	}
	if _, err := NewLinear(features.Zones, zones[0].Vectorizer, pair[0].Linear); err == nil {
		t.Error("NewLinear takes a model of another width")
	}
	if _, err := NewGBT(features.Zones, zones[0].Vectorizer, pair[1].Trees); err == nil {
		t.Error("NewGBT takes trees of another width")
	}
}

func TestLoadRefuses(t *testing.T) {
	models := fitted(t, features.Pair)
	directory := func(m *Model) fstest.MapFS {
		files, err := m.Files(Card{})
		if err != nil {
			t.Fatal(err)
		}
		dir := fstest.MapFS{}
		for _, f := range files {
			dir[f.Name] = &fstest.MapFile{Data: f.Bytes}
		}
		return dir
	}
	for _, name := range []string{MLmodelFile, ModelFile, VectorizerFile} {
		dir := directory(models[1])
		delete(dir, name)
		if _, err := Load(dir); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
		for _, m := range models {
			dir = directory(m)
			whole := dir[name].Data
			for cut := 0; cut < len(whole); cut += max(1, len(whole)/20) {
				if name == MLmodelFile && bytes.Contains(whole[:cut], []byte("data: model.json\n    model_class")) {
					break // what is cut off says nothing that Load needs
				}
				dir[name].Data = whole[:cut]
				if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), name) {
					t.Errorf("with %d of %d bytes of %s: %v", cut, len(whole), name, err)
				}
			}
		}
	}
	for _, c := range []struct{ name, old, new, want string }{
		{MLmodelFile, "xgboost:\n    code", "lightgbm:\n    code", "no xgboost flavor"},
		{MLmodelFile, "data: model.json\n    model_class", "data: ../model.json\n    model_class", "outside the directory"},
		{MLmodelFile, "kind: gbt", "kind: linear", `booster is "gbtree"`},
		{MLmodelFile, "kind: gbt", "kind: forest", `unknown kind of model "forest"`},
		{MLmodelFile, "flavors:", "flavors: [", MLmodelFile},
		{VectorizerFile, `"features":"PU_DO"`, `"features":"PU,DO"`, "vectorizer is not for"},
		{VectorizerFile, `"features":"PU_DO"`, `"features":"nothing"`, `unknown feature encoding "nothing"`},
		{VectorizerFile, `"vectorizer"`, `"Vector"`, "no vectorizer"},
		{VectorizerFile, `"format":"dict-vectorizer"`, `"format":"pickle"`, `format "pickle"`},
	} {
		dir := directory(models[1])
		text := strings.Replace(string(dir[c.name].Data), c.old, c.new, 1)
		if text == string(dir[c.name].Data) {
			t.Fatalf("%s holds no %q", c.name, c.old)
		}
		dir[c.name].Data = []byte(text)
		if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %q: error %v, want %q in it", c.name, c.new, err, c.want)
		}
	}
}

// A directory that mlflow itself logged says nothing of the kind.
func TestLoadFindsKind(t *testing.T) {
	for _, m := range fitted(t, features.Pair) {
		dir := t.TempDir()
		writeDirectory(t, dir, m, Card{})
		plain := "flavors:\n  python_function:\n    data: model.json\n    loader_module: mlflow.xgboost\n  xgboost:\n    data: model.json\n"
		if err := os.WriteFile(filepath.Join(dir, MLmodelFile), []byte(plain), 0o600); err != nil {
			t.Fatal(err)
		}
		back, err := Load(os.DirFS(dir))
		if err != nil {
			t.Fatal(err)
		}
		if back.Kind != m.Kind {
			t.Errorf("%s was taken for %s", m, back)
		}
	}
}

// As mlflow logs a booster by default now.
func TestLoadUBJSON(t *testing.T) {
	m := fitted(t, features.Pair)[1]
	dir := t.TempDir()
	writeDirectory(t, dir, m, Card{})
	for _, format := range []gbt.Format{{UBJSON: true}, {UBJSON: true, XGBoost3: true}, {XGBoost3: true}} {
		var b bytes.Buffer
		if err := m.Trees.Write(&b, format); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "model.ubj"), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, MLmodelFile), []byte("flavors:\n  xgboost:\n    data: model.ubj\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		back, err := Load(os.DirFS(dir))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := predict(t, back), predict(t, m); !reflect.DeepEqual(got, want) {
			t.Errorf("%+v: predicts %v after loading, %v before", format, got, want)
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

func TestPredictRidesRefusesLength(t *testing.T) {
	m := fitted(t, features.Pair)[0]
	if err := m.PredictRides(someRides, make([]float32, 1)); err == nil {
		t.Error("5 rides are predicted into 1 place")
	}
}

func FuzzDecode(f *testing.F) {
	for _, m := range fitted(f, features.Pair) {
		b, err := Encode(m)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Decode(b)
		if err != nil {
			return
		}
		out := make([]float32, len(someRides))
		if err := m.PredictRides(someRides, out); err != nil {
			t.Fatalf("a decoded model does not predict: %v", err)
		}
		if _, err := Encode(m); err != nil {
			t.Fatalf("a decoded model does not encode: %v", err)
		}
	})
}
