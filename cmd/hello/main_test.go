package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginetest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"hello": func() { os.Exit(run()) }})
}

// flaky answers every fourth request with a fact, and the others with an error; what
// is asked for at /sure and /dog it always has.
func flaky(t *testing.T) string {
	var asked atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1)%4 != 0 && r.URL.Path != "/sure" && r.URL.Path != "/dog" {
			http.Error(w, "not now", http.StatusServiceUnavailable)
			return
		}
		fact := "Animals sleep " + strings.Trim(r.URL.Path, "/")
		if r.URL.Path == "/dog" {
			_ = json.NewEncoder(w).Encode(map[string][]string{"facts": {fact}})
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"fact": fact})
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("HELLO_HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("FACTS", flaky(t))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"wantcode": wantCode, "server": server},
	})
}

// wantCode runs a command that must end with a certain code: wantcode 2 hello nonsense
func wantCode(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	if got := fmt.Sprint(err); args[0] != "0" && got != "exit status "+args[0] || args[0] == "0" && err != nil {
		ts.Fatalf("%v, want exit code %s", err, args[0])
	}
}

// server starts "hello server" with more arguments, without a worker, and sets $API
// to its address. It ends with the script.
func server(ts *testscript.TestScript, _ bool, args []string) {
	cmd := exec.Command("hello", append([]string{"server", "--addr", "127.0.0.1:0", "--no-worker", "--json"}, args...)...)
	cmd.Env = append(os.Environ(), "HELLO_HOME="+ts.Getenv("HELLO_HOME"))
	cmd.Stderr = ts.Stderr()
	stdout, err := cmd.StdoutPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	ts.Defer(func() {
		ts.Check(cmd.Process.Signal(os.Interrupt))
		ts.Check(cmd.Wait())
	})
	var told struct{ URL string }
	ts.Check(json.NewDecoder(stdout).Decode(&told))
	ts.Setenv("API", told.URL)
	elsewhere := httptest.NewServer(http.NotFoundHandler())
	ts.Defer(elsewhere.Close)
	ts.Setenv("ELSEWHERE", elsewhere.URL)
}

// Each flow makes the same calls when it is run again.
func TestReplay(t *testing.T) {
	url := flaky(t) + "/sure"
	enginetest.Replay(t, &engine.Engine{}, hello, Greeting{Name: "Marvin"})
	enginetest.Replay(t, &engine.Engine{}, catFacts, Facts{URL: url})
	enginetest.Replay(t, &engine.Engine{}, animalFacts, AnimalFacts{CatURL: url, DogURL: url})
}
