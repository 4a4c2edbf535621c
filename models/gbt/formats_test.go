package gbt

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/models/xgbfile"
)

// theirs is what XGBoost predicts with the models of testdata/formats, see
// make_formats.py.
type theirs struct {
	Rows        [][]*float32
	Predictions map[string][]uint32
}

func theirPredictions(t testing.TB, version string) theirs {
	t.Helper()
	b, err := os.ReadFile("testdata/formats/" + version + ".predictions.json")
	if err != nil {
		t.Fatal(err)
	}
	var p theirs
	if err := json.Unmarshal(b, &p); err != nil {
		t.Fatal(err)
	}
	if len(p.Predictions) < 9 {
		t.Fatalf("%d models", len(p.Predictions))
	}
	return p
}

// What XGBoost wrote, in either version and format, is read, predicted with and
// written again, all to the bit.
func TestFormatsOfXGBoost(t *testing.T) {
	for _, version := range []string{"1.7.6", "3.2.0"} {
		p := theirPredictions(t, version)
		for name, want := range p.Predictions {
			for _, ext := range []string{".json", ".ubj"} {
				file := name + "-" + version + ext
				model, err := os.ReadFile(filepath.Join("testdata", "formats", file))
				if err != nil {
					t.Fatal(err)
				}
				e, err := Read(bytes.NewReader(model))
				if err != nil {
					t.Errorf("%s: %v", file, err)
					continue
				}
				for i, bits := range want {
					var row []Entry
					for feature, v := range p.Rows[i] {
						if v != nil {
							row = append(row, Entry{int32(feature), *v})
						}
					}
					if got := e.PredictRow(row); math.Float32bits(got) != bits {
						t.Errorf("%s: row %d %v is predicted %v, want %v", file, i, row, got, math.Float32frombits(bits))
					}
				}
				var b bytes.Buffer
				if err := e.Write(&b, Format{UBJSON: ext == ".ubj", XGBoost3: version == "3.2.0", Names: e.FeatureNames}); err != nil {
					t.Fatal(err)
				}
				if name == "mean" { // that the base score was found by a fit is not kept
					at := bytes.Index(model, []byte("boost_from_average"))
					model[at+bytes.IndexByte(model[at:], '1')] = '0'
				}
				if got := b.Bytes(); !bytes.Equal(got, model) {
					i := 0
					for i < min(len(got), len(model)) && got[i] == model[i] {
						i++
					}
					t.Errorf("%s: written again it differs from byte %d on:\n%.60q want\n%.60q", file, i, got[i:], model[i:])
				}
				if kind, err := xgbfile.Booster(model); kind != "gbtree" || err != nil {
					t.Errorf("%s: booster %q, %v", file, kind, err)
				}
				if strings.HasPrefix(name, "sets") && !e.categorical() {
					t.Errorf("%s has no categories", file)
				}
			}
		}
	}
}

// sets is a small model with categorical splits.
func sets(t testing.TB, ext string) []byte {
	t.Helper()
	model, err := os.ReadFile("testdata/formats/sets-3.2.0" + ext)
	if err != nil {
		t.Fatal(err)
	}
	return model
}

func TestReadRefusesCategories(t *testing.T) {
	model := string(sets(t, ".json"))
	for _, c := range [][3]string{
		{`"categories":[0,1,`, `"categories":[1,0,`, "category 0 is out of range or order"},
		{`"categories":[0,1,`, `"categories":[-2,1,`, "category -2 is out of range"},
		{`65,66,67,68,69],`, `65,66,67,68,16777216],`, "category 16777216 is out of range"},
		{`65,66,67,68,69],`, `65,66,67,68,69,70],`, "1 categories belong to no node"},
		{`65,66,67,68,69],`, `65,66,67,68],`, "are not there"},
		{`"categories_nodes":[1,4]`, `"categories_nodes":[4,1]`, "node 1 is not the next categorical one"},
		{`"categories_nodes":[1,4]`, `"categories_nodes":[1,99]`, "node 99 is not the next"},
		{`"categories_nodes":[1,4]`, `"categories_nodes":[1,-4]`, "node -4 is not the next"},
		{`"categories_nodes":[1,4]`, `"categories_nodes":[1,3]`, "node 3 is not the next"},
		{`"categories_segments":[0,50]`, `"categories_segments":[0,0]`, "from 0 on are not there"},
		{`"categories_sizes":[50,58]`, `"categories_sizes":[50,2147483647]`, "its 2147483647 categories"},
		{`"categories_sizes":[50,58]`, `"categories_sizes":[50,-1]`, "its -1 categories"},
		{`"categories_sizes":[50,58]`, `"categories_sizes":[0,58]`, "its 0 categories"},
	} {
		broken := strings.Replace(model, c[0], c[1], 1)
		if broken == model {
			t.Fatalf("nothing to change for %s", c[1])
		}
		if _, err := Read(strings.NewReader(broken)); err == nil || !strings.Contains(err.Error(), c[2]) {
			t.Errorf("%s: error is %v, want one with %q", c[1], err, c[2])
		}
	}
}

func TestReadRefusesUBJSON(t *testing.T) {
	model := sets(t, ".ubj")
	for n := range len(model) { // truncated anywhere
		if _, err := Read(bytes.NewReader(model[:n])); err == nil {
			t.Errorf("no error from the first %d bytes", n)
		}
	}
	long := func(n uint64) string { return "L" + string(binary.BigEndian.AppendUint64(nil, n)) }
	for _, c := range [][3]string{
		{"{" + long(7), "{" + long(1<<62), "is out of range"},
		{"{" + long(7), "{" + long(1<<29), "cut short"},
		{"{" + long(7), "{" + long(1<<63), "is out of range"},
		{"{" + long(7), "{d\x00\x00\x00\x07", "is no integer"},
		{"base_weights[$d#" + long(7), "base_weights[$d#" + long(1<<28), "cut short"},
		{"base_weights[$d#" + long(7), "base_weights[$Z#" + long(1<<29), "cut short"},
		{"base_weights[$d#" + long(7), "base_weights[$x#" + long(1<<29), "type 'x' is no integer"},
		{"base_weights[$d#" + long(7), "base_weights[$d" + long(1<<29), "without their number"},
		{"base_weights[$d#" + long(7), "base_weights{$d#" + long(7), `type '{' where '[' is wanted`},
		{"trees[#" + long(4), "trees[#" + long(1<<29), "trees: tree 4"},
		{"feature_names[#", "feature_names[$S#", "should say its own"},
		{"cats{" + long(3) + "enc[#" + long(0), "cats{" + long(3) + "enc" + strings.Repeat("[", 99), "nested too deep"},
	} {
		broken := bytes.Replace(model, []byte(c[0]), []byte(c[1]), 1)
		if bytes.Equal(broken, model) {
			t.Fatalf("nothing to change for %q", c[1])
		}
		if _, err := Read(bytes.NewReader(broken)); err == nil || !strings.Contains(err.Error(), c[2]) {
			t.Errorf("%q: error is %v, want one with %q", c[1], err, c[2])
		}
	}
	if _, err := Read(bytes.NewReader(append(model, 'N'))); err == nil || !strings.Contains(err.Error(), "1 bytes follow") {
		t.Errorf("a byte too many: %v", err)
	}
}

// UBJSON that others might write: other integers, lists without their number.
func TestReadOtherUBJSON(t *testing.T) {
	e := read(t, stump)
	var b bytes.Buffer
	if err := e.Write(&b, Format{UBJSON: true}); err != nil {
		t.Fatal(err)
	}
	long := func(n uint64) string { return "L" + string(binary.BigEndian.AppendUint64(nil, n)) }
	for old, new := range map[string]string{
		long(7) + "learner":               "i\x07learner",
		long(7) + "version[#" + long(3):   "U\x07version[#I\x00\x03",
		"tree_info[#" + long(1) + "i\x00": "tree_info[NFN]",
		"split_type[$U#" + long(3):        "split_type[$i#U\x03",
		"[$l#" + long(0):                  "[]",
	} {
		model := strings.Replace(b.String(), old, new, 1)
		if model == b.String() {
			t.Fatalf("%q: nothing to change", old)
		}
		again, err := Read(strings.NewReader(model))
		if err != nil {
			t.Errorf("%q: %v", new, err)
			continue
		}
		if got := again.PredictRow([]Entry{{1, 3}}); got != 0.6 {
			t.Errorf("%q: predicted %v, want 0.6", new, got)
		}
	}
}

func FuzzReadUBJSON(f *testing.F) {
	f.Add(sets(f, ".ubj"))
	for _, x3 := range []bool{false, true} {
		var b bytes.Buffer
		if err := read(f, stump).Write(&b, Format{UBJSON: true, XGBoost3: x3}); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, model []byte) {
		e, err := Read(bytes.NewReader(model))
		if err != nil {
			return
		}
		row := []Entry{{0, 1}, {1, 2.5}}
		want := e.PredictRow(row)
		for _, format := range []Format{{UBJSON: true}, {XGBoost3: true}} {
			var b bytes.Buffer
			if err := e.Write(&b, format); err != nil {
				t.Fatal(err)
			}
			again, err := Read(&b)
			if err != nil {
				t.Fatal(err)
			}
			if got := again.PredictRow(row); got != want && want == want {
				t.Errorf("read again it predicts %v, want %v", got, want)
			}
		}
	})
}
