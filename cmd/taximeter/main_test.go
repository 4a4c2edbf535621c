package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/taximeter/taximeter/pipeline"
)

// The test binary is the command itself when asMain is set, so that what is
// tested, killed and raced is the whole program in a process of its own.
const asMain = "TAXIMETER_TEST_AS_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asMain) != "" {
		os.Exit(run(os.Args[1:]))
	}
	testscript.Main(m, map[string]func(){"taximeter": func() { os.Exit(run(os.Args[1:])) }})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("TAXIMETER_HOME", filepath.Join(env.WorkDir, "home"))
			// Nothing here may reach TLC: an address where nobody listens.
			env.Setenv("TAXIMETER_MONTHS_URL", "http://127.0.0.1:9")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"json": jsonCmd, "flip": flipCmd, "exits": exitsCmd},
	})
}

// jsonCmd checks fields of the one JSON object on stdout: json chosen.stage=Staging
// runs.len=2.
func jsonCmd(ts *testscript.TestScript, neg bool, args []string) {
	var object any
	if err := json.Unmarshal([]byte(ts.ReadFile("stdout")), &object); err != nil {
		ts.Fatalf("stdout is not one JSON object: %v", err)
	}
	for _, arg := range args {
		path, want, _ := strings.Cut(arg, "=")
		got := fmt.Sprint(dig(object, strings.Split(path, ".")))
		if (got == want) == neg {
			ts.Fatalf("%s is %s, want (not: %t) %s", path, got, neg, want)
		}
	}
}

func dig(v any, path []string) any {
	for _, p := range path {
		switch at := v.(type) {
		case map[string]any:
			v = at[p]
		case []any:
			if p == "len" {
				v = len(at)
				continue
			}
			var i int
			if _, err := fmt.Sscan(p, &i); err != nil || i >= len(at) {
				return nil
			}
			v = at[i]
		default:
			return nil
		}
	}
	if f, ok := v.(float64); ok && f == float64(int64(f)) {
		return int64(f)
	}
	return v
}

// exitsCmd runs a command that must end with a certain code: exits 2 taximeter nonsense
func exitsCmd(ts *testscript.TestScript, _ bool, args []string) {
	code := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit := new(exec.ExitError)
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
}

// flipCmd changes one byte in the middle of a file: flip FILE.
func flipCmd(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	b, err := os.ReadFile(path)
	ts.Check(err)
	b[len(b)/2] ^= 1
	ts.Check(os.WriteFile(path, b, 0o644))
}

// command is the program with these arguments, ready to start. Nothing it does
// reaches beyond home.
func command(ctx context.Context, home string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), asMain+"=1", "TAXIMETER_HOME="+home, "TAXIMETER_MONTHS_URL=http://127.0.0.1:9", "MLFLOW_TRACKING_URI=")
	return cmd
}

// taximeter runs the program to its end and returns its stdout.
func taximeter(t *testing.T, home string, args ...string) []byte {
	t.Helper()
	cmd := command(t.Context(), home, args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("taximeter %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return stdout.Bytes()
}

// smallMonth is how many rides a month has that the tests train on: few, for they
// train some two hundred times, and with the race detector.
const smallMonth = 1000

// months are two small months that the tests train on, synthesised once.
var months = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "taximeter-months-*")
	if err != nil {
		return "", err
	}
	cmd := command(context.Background(), dir, "months", "make", "green", "2021-01..2021-02", "--rows", fmt.Sprint(smallMonth), "--out", dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return dir, nil
})

// trainArgs are the arguments of a small training.
func trainArgs(t *testing.T, more ...string) []string {
	t.Helper()
	dir, err := months()
	if err != nil {
		t.Fatal(err)
	}
	// Of one encoding, so that the second trial builds on what came of the first.
	args := []string{"train", "--date", "2021-03-05", "--data", dir, "--trials", "2", "--features", "PU_DO", "--json",
		"--gate", "metrics.rmse_valid < 100 and metrics.inference_time < 1"}
	return append(args, more...)
}

func train(t *testing.T, home string, more ...string) pipeline.Report {
	t.Helper()
	return parseReport(t, taximeter(t, home, trainArgs(t, more...)...))
}

func parseReport(t *testing.T, stdout []byte) (r pipeline.Report) {
	t.Helper()
	if err := json.Unmarshal(stdout, &r); err != nil {
		t.Fatalf("stdout is not a report: %v\n%s", err, stdout)
	}
	return r
}

// waitFor waits until done says so, far longer than it should take.
func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for begun := time.Now(); !done(); time.Sleep(50 * time.Millisecond) {
		if time.Since(begun) > 5*time.Minute {
			t.Fatal("waited for five minutes")
		}
	}
}
