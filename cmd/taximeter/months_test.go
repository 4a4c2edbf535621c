package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
)

// fails runs the program, which must end with code, and returns what it printed.
func fails(t *testing.T, code int, cmd *exec.Cmd) string {
	t.Helper()
	out, err := cmd.CombinedOutput()
	exit := new(exec.ExitError)
	if !errors.As(err, &exit) || exit.ExitCode() != code {
		t.Errorf("%v, want exit code %d\n%s", err, code, out)
	}
	return string(out)
}

func TestMonthWithoutAColumn(t *testing.T) {
	dir := t.TempDir()
	type ride struct {
		Pickup  time.Time `parquet:"lpep_pickup_datetime,timestamp(microsecond)"`
		Dropoff time.Time `parquet:"lpep_dropoff_datetime,timestamp(microsecond)"`
		PU      int64     `parquet:"PULocationID"`
		DO      int64     `parquet:"DOLocationID"`
		Fare    float64   `parquet:"fare_amount"`
	}
	for _, month := range []string{"2021-01", "2021-02"} {
		if err := parquet.WriteFile(filepath.Join(dir, "green_tripdata_"+month+".parquet"), []ride{{time.Now(), time.Now(), 1, 2, 3}}); err != nil {
			t.Fatal(err)
		}
	}
	out := fails(t, exitSchema, command(t.Context(), t.TempDir(), "train", "--date", "2021-03-05", "--data", dir))
	for _, want := range []string{"trip_distance", "green_tripdata_2021-0", "fare_amount"} {
		if !strings.Contains(out, want) {
			t.Errorf("the error does not name %s:\n%s", want, out)
		}
	}
}

// tlc answers as TLC's address does: months that are published, and 403 for
// what is not.
func tlc(t *testing.T) string {
	t.Helper()
	dir, err := months()
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := filepath.Join(dir, filepath.Base(r.URL.Path))
		if _, err := os.Stat(path); err != nil {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		http.ServeFile(w, r, path)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestMonthsFromTLC(t *testing.T) {
	url, home := tlc(t), t.TempDir()
	from := func(args ...string) *exec.Cmd {
		cmd := command(t.Context(), home, args...)
		cmd.Env = append(cmd.Env, "TAXIMETER_MONTHS_URL="+url)
		return cmd
	}
	out := fails(t, exitNotPublished, from("train", "--date", "2021-05-05"))
	if !strings.Contains(out, "green 2021-0") || !strings.Contains(out, "not published") || !strings.Contains(out, "--date latest") {
		t.Errorf("the error of a month that is not published:\n%s", out)
	}
	gate := "metrics.rmse_valid < 1e6"
	report, err := from("train", "--date", "2021-03-05", "--trials", "0", "--gate", gate, "--json").Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, report)
	}
	if r := parseReport(t, report); !strings.HasPrefix(r.Train.Path, home) || r.Train.RowsRead != smallMonth {
		t.Errorf("train = %+v, want a fetched month", r.Train)
	}
	if out, err := from("months", "ls").CombinedOutput(); err != nil || !strings.Contains(string(out), "2021-02") {
		t.Errorf("months ls = %v\n%s", err, out)
	}
	// With the months at hand, nothing is asked of the address any more.
	if out, err := command(t.Context(), home, "train", "--date", "latest", "--trials", "0", "--gate", gate, "--json").Output(); err != nil || parseReport(t, out).Date != "2021-03-01" {
		t.Errorf("train --date latest = %v\n%s", err, out)
	}
}
