package mlflowstore

import (
	"math"
	"testing"
)

func TestPoints(t *testing.T) {
	got, err := readPoints("m", "1700000000000 6.5 1\n\n1 nan\n2 -inf -3 green abc\n3 1e400 4 x\n", false)
	if err != nil || len(got) != 4 {
		t.Fatal(got, err)
	}
	if got[0].Step != 1 || !math.IsNaN(got[1].Value) || got[2].DatasetName != "green" || got[2].DatasetDigest != "abc" || got[2].Step != -3 || !math.IsInf(got[3].Value, 1) {
		t.Errorf("read %+v", got)
	}
	for _, line := range []string{"1", "x 1", "1 x", "1 1 x"} {
		if got, err := readPoints("m", line, false); err == nil {
			t.Errorf("%q is read as %+v", line, got)
		}
	}
}

// Whatever a file of points holds, it is points or an error.
func FuzzPoints(f *testing.F) {
	f.Add("1700000000000 6.5 1\n", false)
	f.Add("1 nan 0 run green abc\n9999999999999999999 1 1", true)
	f.Fuzz(func(t *testing.T, text string, ofModel bool) {
		points, err := readPoints("m", text, ofModel)
		if err == nil && len(points) > len(text) {
			t.Errorf("%d points in %q", len(points), text)
		}
	})
}
