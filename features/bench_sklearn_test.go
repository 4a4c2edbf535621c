//go:build bench

package features

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/taximeter/taximeter/features/matrix"
)

// TestAgainstDictVectorizer times both sides on the same million rides, one run
// of each in turn, and checks that both made the same matrix:
//
//	TAXIMETER_PYTHON=… go test -tags bench -run DictVectorizer -v ./features
//
// The interpreter needs scikit-learn and pandas. Ours starts from the zones'
// numbers; scikit-learn's is given the pairs spelled out, in its favour.
func TestAgainstDictVectorizer(t *testing.T) {
	python := os.Getenv("TAXIMETER_PYTHON")
	if python == "" {
		python = "python3"
	}
	trips := manyTrips(1_000_000)
	path := filepath.Join(t.TempDir(), "trips")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, column := range []any{trips.PickupZone.All(), trips.DropoffZone.All(), trips.Miles.All()} {
		if err := binary.Write(f, binary.LittleEndian, column); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(python, filepath.Join("testdata", "bench_vectorizer.py"), path)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	var ours, theirs []float64
	for range 5 {
		runtime.GC()
		begin := time.Now()
		cols := FromTrips(Pair, trips)
		v, err := matrix.Fit(cols)
		if err != nil {
			t.Fatal(err)
		}
		x, err := v.Transform(cols)
		if err != nil {
			t.Fatal(err)
		}
		ours = append(ours, time.Since(begin).Seconds())

		if _, err := in.Write([]byte("go\n")); err != nil {
			t.Fatal(err)
		}
		if !lines.Scan() {
			t.Fatalf("no answer from %s: %v", python, lines.Err())
		}
		var sklearn struct {
			Seconds                float64
			Versions               string
			Names                  []string
			Width, Stored, Columns int
		}
		if err := json.Unmarshal(lines.Bytes(), &sklearn); err != nil {
			t.Fatal(err)
		}
		if len(theirs) == 0 {
			t.Logf("%s; %s, GOMAXPROCS %d", sklearn.Versions, runtime.Version(), runtime.GOMAXPROCS(0))
		}
		theirs = append(theirs, sklearn.Seconds)

		stored, sum := 0, 0
		for row := range x.Rows {
			columns, _ := x.AppendRow(row, nil, nil)
			stored += len(columns)
			for _, c := range columns {
				sum += int(c)
			}
		}
		names := v.Names()
		some := []string{names[0], names[len(names)/2], names[len(names)-1]}
		if !slices.Equal(some, sklearn.Names) || x.Width != sklearn.Width || stored != sklearn.Stored || sum != sklearn.Columns {
			t.Fatalf("%d columns %q, %d stored, sum %d; scikit-learn has %+v", x.Width, some, stored, sum, sklearn)
		}
	}
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	t.Logf("1,000,000 rides, 5 runs in turn: %.1f ms (best %.1f), scikit-learn %.0f ms (best %.0f): %.0f times, of the best %.0f",
		ours[2]*1e3, ours[0]*1e3, theirs[2]*1e3, theirs[0]*1e3, theirs[2]/ours[2], theirs[0]/ours[0])
}
