package enginecmd

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/history"
)

const printed = 5000

// talk prints lines, half of one, what a program of its own prints, and a task's.
var talk = engine.Flow[struct{}, string]{Name: "talk", Func: func(c *engine.Ctx, _ struct{}) (engine.Arg[string], error) {
	for i := range printed {
		fmt.Println("line", i)
	}
	cmd := exec.Command("echo", "of another program")
	cmd.Stdout = os.Stdout
	if err := cmd.Run(); err != nil {
		return nil, err
	}
	said := say.Submit(c, engine.Val("of a task"))
	if err := said.Wait(); err != nil {
		return nil, err
	}
	fmt.Print("half a line")
	return said, nil
}}

var say = engine.Task[string, string]{Name: "say", Func: func(_ context.Context, s string) (string, error) {
	fmt.Printf("%s\r\n\n", s)
	return s, nil
}}

// scheduled is a run of talk that nobody has begun, in a home of its own.
func scheduled(t *testing.T) (*App, *history.Store, string) {
	a := &App{Name: "talker", Flows: []engine.Runnable{talk}, Home: t.TempDir(), Durability: string(history.Process), Env: func(string) string { return "" }}
	var err error
	if a.Err, err = os.Create(filepath.Join(a.Home, "stderr")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Err.Close() })
	h, err := a.OpenHistory(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	run, err := talk.NewRun(&engine.Engine{}, nil, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	run.State.Type, run.State.Name = engine.TypeScheduled, engine.NameScheduled
	if run, err = h.CreateFlowRun(t.Context(), run); err != nil {
		t.Fatal(err)
	}
	return a, h, run.ID
}

// What a run prints that has the process to itself is its log, and is printed.
func TestPrintsAreLogged(t *testing.T) {
	a, h, id := scheduled(t)
	terminal, err := os.Create(filepath.Join(a.Home, "stdout"))
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	defer func(f *os.File) { os.Stdout = f }(os.Stdout)
	os.Stdout = terminal
	if err := a.executeRun(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if os.Stdout != terminal {
		t.Error("os.Stdout was not given back")
	}
	var want []string
	for i := range printed {
		want = append(want, fmt.Sprint("line ", i))
	}
	want = append(want, "of another program", "of a task", "", "half a line")
	if got := messages(t, h, id); !slices.Equal(got, want) {
		t.Errorf("logged %d lines, the last %q", len(got), got[max(0, len(got)-5):])
	}
	text, err := os.ReadFile(terminal.Name())
	if got := strings.ReplaceAll(string(text), "\r", ""); err != nil || got != strings.Join(want, "\n") {
		t.Errorf("printed %d bytes, %v", len(got), err)
	}
}

// Nothing is missing from the log at the moment a run has ended.
func TestPrintsAreLoggedBeforeTheRunEnds(t *testing.T) {
	a, h, id := scheduled(t)
	var then []string
	p, err := keepPrints(ending{h, func() { then = messages(t, h, id) }}, id)
	if err != nil {
		t.Fatal(err)
	}
	p.stdout = a.Err
	err = a.execute(t.Context(), p, id)
	p.end()
	if err != nil || len(then) != printed+4 || then[len(then)-1] != "half a line" {
		t.Errorf("%v; %d lines", err, len(then))
	}
}

// ending tells when a run has ended.
type ending struct {
	engine.History
	ended func()
}

func (e ending) PutFlowRun(ctx context.Context, run engine.FlowRun, from engine.State) error {
	err := e.History.PutFlowRun(ctx, run, from)
	if run.State.Type.Final() {
		e.ended()
	}
	return err
}

func messages(t *testing.T, h *history.Store, id string) (list []string) {
	lines, err := h.Logs(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		if l.Level != "INFO" || l.TaskKey != "" {
			t.Errorf("%+v", l)
		}
		list = append(list, l.Message)
	}
	return list
}
