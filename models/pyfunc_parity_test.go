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
	"testing"

	"github.com/taximeter/taximeter/data"
	"github.com/taximeter/taximeter/features"
	"github.com/taximeter/taximeter/models/gbt"
	"github.com/taximeter/taximeter/models/linear"
)

// TestPyfuncParity has mlflow.pyfunc predict every fifth ride of a real month, as a
// table of zones and distances, by model directories of every encoding and kind:
// the same bits as ours. Some rides have no distance, some zones nobody has
// heard of. MLflow's last two majors are asked.
func TestPyfuncParity(t *testing.T) {
	p := readPair(t, "2021-01", "2021-02")
	var rides []features.Ride
	for i := 0; i < p.valid.Len(); i += 5 {
		r := features.Ride{PULocationID: p.valid.PickupZone.At(i), DOLocationID: p.valid.DropoffZone.At(i), TripDistance: p.valid.Miles.At(i)}
		switch len(rides) % 50 {
		case 0:
			r.TripDistance = math.NaN()
		case 1:
			r.PULocationID = data.NoZone
		case 2:
			r.DOLocationID = 1000 + int32(i)
		case 3:
			r.TripDistance = 0
		case 4:
			r.TripDistance *= 1000
		}
		rides = append(rides, r)
	}
	folder := t.TempDir()
	var pickup, dropoff, miles []byte
	for _, r := range rides {
		pickup = binary.LittleEndian.AppendUint32(pickup, uint32(r.PULocationID))
		dropoff = binary.LittleEndian.AppendUint32(dropoff, uint32(r.DOLocationID))
		miles = binary.LittleEndian.AppendUint64(miles, math.Float64bits(r.TripDistance))
	}
	for name, b := range map[string][]byte{"pickup.i32": pickup, "dropoff.i32": dropoff, "miles.f64": miles} {
		if err := os.WriteFile(filepath.Join(folder, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	arguments := []string{filepath.Join("testdata", "check_pyfunc.py"), folder}
	made := map[string]*Model{} // by directory
	for _, e := range features.Encodings() {
		for _, m := range pyfuncModels(t, e, p) {
			dir := t.TempDir()
			writeDirectory(t, dir, m, Card{})
			made[dir] = m
			arguments = append(arguments, dir)
		}
	}
	for _, name := range []string{"TAXIMETER_PYTHON", "TAXIMETER_PYTHON_MLFLOW2"} {
		cmd := exec.Command(interpreter(t, name), arguments...)
		cmd.Env = append(os.Environ(), "MLFLOW_DISABLE_TELEMETRY=true", "DO_NOT_TRACK=1", "GIT_PYTHON_REFRESH=quiet", "OMP_NUM_THREADS=1")
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		versions, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v\n%s", cmd, err, &stderr)
		}
		for dir, m := range made {
			checkPyfunc(t, m, rides, filepath.Join(dir, "pyfunc.f32"))
		}
		t.Logf("%s: %d models predict %d rides", bytes.TrimSpace(versions), len(made), len(rides))
	}
}

func pyfuncModels(t *testing.T, e features.Encoding, p *pair) []*Model {
	t.Helper()
	v, err := features.Fit(e, p.train)
	if err != nil {
		t.Fatal(err)
	}
	x, err := v.Transform(features.FromTrips(e, p.train))
	if err != nil {
		t.Fatal(err)
	}
	line, err := linear.Fit(context.Background(), x, p.y, linear.Params{})
	if err != nil {
		t.Fatal(err)
	}
	params := course
	params.Rounds, params.MaxDepth, params.EarlyStopping = 20, 10, 0
	trees, err := gbt.Fit(context.Background(), gbt.Set{X: x, Y: p.y}, nil, params, nil)
	if err != nil {
		t.Fatal(err)
	}
	one, err := NewLinear(e, v, line)
	if err != nil {
		t.Fatal(err)
	}
	other, err := NewGBT(e, v, trees)
	if err != nil {
		t.Fatal(err)
	}
	return []*Model{one, other}
}

// checkPyfunc compares the predictions in a file with ours, those of rides that
// come alone and those of all at once.
func checkPyfunc(t *testing.T, m *Model, rides []features.Ride, file string) {
	t.Helper()
	theirs, err := os.ReadFile(file)
	if err != nil || len(theirs) != 4*len(rides) {
		t.Fatalf("%s: %d bytes, %v", m, len(theirs), err)
	}
	all, alone := make([]float32, len(rides)), make([]float32, 1)
	if err := m.PredictRides(rides, all); err != nil {
		t.Fatal(err)
	}
	differ := 0
	for i := range rides {
		if err := m.PredictRides(rides[i:i+1], alone); err != nil {
			t.Fatal(err)
		}
		got := binary.LittleEndian.Uint32(theirs[4*i:])
		if got != math.Float32bits(alone[0]) || got != math.Float32bits(all[i]) {
			if differ++; differ < 5 {
				t.Errorf("%s: %v predicted as %v, among others as %v, by mlflow.pyfunc %v", m, rides[i], alone[0], all[i], math.Float32frombits(got))
			}
		}
	}
	if differ > 0 {
		t.Errorf("%s: %d of %d predictions differ", m, differ, len(rides))
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}
