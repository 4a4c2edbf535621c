package linear

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/features/matrix"
)

// Both formats, as both majors of XGBoost write them, hold the same model, which
// predicts the same bits.
func TestFormatsOfXGBoost(t *testing.T) {
	for _, version := range []string{"1.7.6", "3.2.0"} {
		var theirs struct {
			Rows [][]*float64
			Bits []uint32
		}
		text, err := os.ReadFile("testdata/formats/" + version + ".predictions.json")
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &theirs); err != nil {
			t.Fatal(err)
		}
		var models []*Model
		for _, ext := range []string{".json", ".ubj"} {
			file, err := os.ReadFile("testdata/formats/" + version + ext)
			if err != nil {
				t.Fatal(err)
			}
			m, err := Read(bytes.NewReader(file))
			if err != nil {
				t.Fatalf("%s%s: %v", version, ext, err)
			}
			models = append(models, m)
			for n := range file { // truncated anywhere
				if _, err := Read(bytes.NewReader(file[:n])); err == nil {
					t.Errorf("%s%s: no error from the first %d bytes", version, ext, n)
				}
			}
		}
		if !reflect.DeepEqual(models[0], models[1]) {
			t.Errorf("%s: JSON holds %+v, UBJSON %+v", version, models[0], models[1])
		}
		layout := &matrix.Matrix{Width: 4}
		for column := range int32(4) {
			layout.Numbers = append(layout.Numbers, matrix.Number{Column: column})
		}
		for i, row := range theirs.Rows {
			numbers := make([]float64, 4)
			for column, v := range row {
				if numbers[column] = math.NaN(); v != nil {
					numbers[column] = *v
				}
			}
			if got := models[1].PredictRow(layout, nil, numbers); math.Float32bits(got) != theirs.Bits[i] {
				t.Errorf("%s: row %v is predicted %v, want %v", version, numbers, got, math.Float32frombits(theirs.Bits[i]))
			}
		}
	}
}

func TestReadRefusesUBJSON(t *testing.T) {
	file, err := os.ReadFile("testdata/formats/1.7.6.ubj")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][3]string{
		{"gblinear", "gbtree!!", `booster is "gbtree!!"`},
		{"weights[$d#L\x00\x00\x00\x00\x00\x00\x00\x05", "weights[$d#L\x00\x00\x00\x00\x20\x00\x00\x05", "cut short"},
		{"weights[$d#L\x00\x00\x00\x00\x00\x00\x00\x05", "weights[$d#L\x00\x00\x00\x00\x00\x00\x00\x04", "learner"},
		{"reg:squarederror", "reg:absoluteerro", `objective is "reg:absoluteerro"`},
	} {
		broken := strings.Replace(string(file), c[0], c[1], 1)
		if broken == string(file) {
			t.Fatalf("nothing to change for %q", c[1])
		}
		if _, err := Read(strings.NewReader(broken)); err == nil || !strings.Contains(err.Error(), c[2]) {
			t.Errorf("%q: error is %v, want one with %q", c[1], err, c[2])
		}
	}
}
