//go:build parity

package models

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/taximeter/taximeter/features"
	"github.com/taximeter/taximeter/features/matrix"
	"github.com/taximeter/taximeter/models/gbt"
)

// TestFormatsParity loads what we write in XGBoost, and what it writes of that
// here; all predict the same bits for every ride of a real month, those between
// zones that training had not and those without a distance among them, as does
// what is compiled, row by row and all at once. Both of XGBoost's majors are asked.
func TestFormatsParity(t *testing.T) {
	p := readPair(t, "2021-01", "2021-02")
	for _, e := range []features.Encoding{features.Pair, features.Zones, features.IDs} {
		v, err := features.Fit(e, p.train)
		if err != nil {
			t.Fatal(err)
		}
		x, err := v.Transform(features.FromTrips(e, p.train))
		if err != nil {
			t.Fatal(err)
		}
		valid, err := v.Transform(features.FromTrips(e, p.valid))
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range valid.Numbers { // a distance, and perhaps ids
			for row := int(n.Column) % 50; row < valid.Rows; row += 50 {
				n.Values[row] = math.NaN()
			}
		}
		params := course
		params.Gamma = 20 // some are pruned
		trees, err := gbt.Fit(context.Background(), gbt.Set{X: x, Y: p.y}, []gbt.Set{{X: x, Y: p.y}}, params, nil)
		if err != nil {
			t.Fatal(err)
		}
		one := map[string]gbt.Format{"one.json": {}, "one.ubj": {UBJSON: true}}
		three := map[string]gbt.Format{"one.json": {}, "three.json": {XGBoost3: true}, "three.ubj": {XGBoost3: true, UBJSON: true}}
		if e != features.Pair { // files differ in nothing else
			one, three = map[string]gbt.Format{"one.json": {}}, map[string]gbt.Format{"three.ubj": {XGBoost3: true, UBJSON: true}}
		}
		checkFormats(t, python(t), one, trees, valid)
		checkFormats(t, pythonXGBoost3(t), three, trees, valid)
	}
}

func checkFormats(t *testing.T, python string, files map[string]gbt.Format, trees *gbt.Ensemble, x *matrix.Matrix) {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var indptr, indices, data []byte
	var columns []int32
	var values []float64
	indptr = binary.LittleEndian.AppendUint64(indptr, 0)
	for row := range x.Rows {
		columns, values = x.AppendRow(row, columns[:0], values[:0])
		for i := range columns {
			indices = binary.LittleEndian.AppendUint32(indices, uint32(columns[i]))
			data = binary.LittleEndian.AppendUint64(data, math.Float64bits(values[i]))
		}
		indptr = binary.LittleEndian.AppendUint64(indptr, uint64(len(data)/8))
	}
	write("indptr.i64", indptr)
	write("indices.i32", indices)
	write("data.f64", data)
	for name, format := range files {
		var b bytes.Buffer
		if err := trees.Write(&b, format); err != nil {
			t.Fatal(err)
		}
		write(name, b.Bytes())
	}
	cmd := exec.Command(python, filepath.Join("testdata", "check_formats.py"), dir, strconv.Itoa(x.Width))
	cmd.Env = append(os.Environ(), "OMP_NUM_THREADS=1") // idle threads that spin cost more than they help
	version, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, version)
	}
	want := make([]float32, x.Rows)
	compiled := trees.Compile(x)
	compiled.Predict(x, want)
	codes, numbers := make([]int32, len(x.Blocks)), make([]float64, len(x.Numbers))
	for row := range want {
		for i := range codes {
			codes[i] = x.Blocks[i].Codes[row]
		}
		for i := range numbers {
			numbers[i] = x.Numbers[i].Values[row]
		}
		if alone := compiled.PredictRow(codes, numbers); math.Float32bits(alone) != math.Float32bits(want[row]) {
			t.Fatalf("row %d is predicted %v alone, %v among all", row, alone, want[row])
		}
	}
	same := func(name string, got func(i int) uint32) {
		for i := range want {
			if got(i) != math.Float32bits(want[i]) {
				t.Errorf("%s: row %d is predicted %v, want %v", name, i, math.Float32frombits(got(i)), want[i])
				return
			}
		}
	}
	for name := range files {
		b, err := os.ReadFile(filepath.Join(dir, name+".f32"))
		if err != nil || len(b) != 4*x.Rows {
			t.Fatalf("%s: %d bytes, %v", name, len(b), err)
		}
		same(name, func(i int) uint32 { return binary.LittleEndian.Uint32(b[4*i:]) })
		for _, ext := range []string{".again.json", ".again.ubj"} {
			b, err := os.ReadFile(filepath.Join(dir, name+ext))
			if err != nil {
				t.Fatal(err)
			}
			e, err := gbt.Read(bytes.NewReader(b))
			if err != nil {
				t.Errorf("%s%s: %v", name, ext, err)
				continue
			}
			got := make([]float32, x.Rows)
			e.Compile(x).Predict(x, got)
			same(name+ext, func(i int) uint32 { return math.Float32bits(got[i]) })
		}
	}
	t.Logf("%d files and %d of xgboost %s predict the same bits for %d rows", len(files), 2*len(files), bytes.TrimSpace(version), x.Rows)
}
