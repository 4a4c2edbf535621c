package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
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
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"wantcode": wantCode},
	})
}

// wantCode runs a command that must end with a certain code: wantcode 2 hello nonsense
func wantCode(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	if got := fmt.Sprint(err); args[0] != "0" && got != "exit status "+args[0] || args[0] == "0" && err != nil {
		ts.Fatalf("%v, want exit code %s", err, args[0])
	}
}

// Each flow makes the same calls when it is run again.
func TestReplay(t *testing.T) {
	url := flaky(t) + "/sure"
	enginetest.Replay(t, &engine.Engine{}, hello, Greeting{Name: "Marvin"})
	enginetest.Replay(t, &engine.Engine{}, catFacts, Facts{URL: url})
	enginetest.Replay(t, &engine.Engine{}, animalFacts, AnimalFacts{CatURL: url, DogURL: url})
}
