package enginecmd_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginecmd"
)

// Batch is what bake takes.
type Batch struct {
	Loaves int    `json:"loaves" min:"1" default:"2" doc:"how many"`
	Kind   string `json:"kind" enum:"rye,wheat" default:"rye"`
	Oven   string `json:"oven" doc:"file that must be there before anything is baked"`
	Diary  string `json:"diary" doc:"file that says which process has mixed"`
}

// mix writes in the diary that it was done, so that tests see how often, and where.
var mix = engine.Task[Batch, int]{Name: "Mix", Func: func(ctx context.Context, b Batch) (int, error) {
	fmt.Printf("mixing dough of %s\n", b.Kind)
	if b.Diary == "" {
		return b.Loaves, nil
	}
	f, err := os.OpenFile(b.Diary, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = fmt.Fprintln(f, os.Getpid())
		err = errors.Join(err, f.Close())
	}
	return b.Loaves, err
}}

// heat is an oven that gets hot when its file is there.
var heat = engine.Task[Batch, int]{Name: "Heat", Tags: []string{"oven"}, Func: func(ctx context.Context, b Batch) (int, error) {
	for b.Oven != "" {
		_, err := os.Stat(b.Oven)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return 0, err
		}
		select {
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-time.After(10 * time.Millisecond):
		}
	}
	return os.Getpid(), nil
}}

var bake = engine.Flow[Batch, string]{Name: "bake", Description: "Bake some bread", Func: func(c *engine.Ctx, b Batch) (engine.Arg[string], error) {
	mixed, hot := mix.Submit(c, engine.Val(b)), heat.Submit(c, engine.Val(b))
	if _, err := engine.Publish(c, engine.Markdown("recipe", "flour and "+b.Kind)); err != nil {
		return nil, err
	}
	return engine.Join2(mixed, hot, func(n, pid int) string { return fmt.Sprintf("%d loaves of %s, by %d", n, b.Kind, pid) }), nil
}}

// Taste is what a customer says.
type Taste struct {
	Good  bool `json:"good" required:"true"`
	Stars int  `json:"stars" min:"1" max:"5" default:"3"`
}

var sell = engine.Flow[struct{}, string]{Name: "sell", Description: "Ask a customer", Func: func(c *engine.Ctx, _ struct{}) (engine.Arg[string], error) {
	t, err := engine.Input[Taste](c, engine.Pause{Key: "taste", Message: "how was it?"})
	if err != nil {
		return nil, err
	}
	return engine.Val(fmt.Sprintf("good: %v, stars: %d", t.Good, t.Stars)), nil
}}

// bakery is a program of two flows.
func bakery() int {
	a := &enginecmd.App{Name: "bakery", Version: "v1", Flows: []engine.Runnable{bake, sell}}
	return a.Main(a.Command("Bake bread and sell it"), os.Args[1:])
}

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"bakery": func() { os.Exit(bakery()) }})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("BAKERY_HOME", filepath.Join(env.WorkDir, "home"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"wantcode": wantCode},
	})
}

// wantCode runs a command that must end with a certain code: wantcode 2 bakery nonsense
func wantCode(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	if got := fmt.Sprint(err); args[0] != "0" && got != "exit status "+args[0] || args[0] == "0" && err != nil {
		ts.Fatalf("%v, want exit code %s", err, args[0])
	}
}
