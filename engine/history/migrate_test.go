package history

import (
	"database/sql"
	"errors"
	"io/fs"
	"path/filepath"
	"reflect"
	"testing"
	"testing/fstest"
	"time"

	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/engine"
)

// before returns the migrations that come before one of that number.
func before(t *testing.T, number string) fs.FS {
	t.Helper()
	names, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	kept := fstest.MapFS{}
	for _, name := range names {
		if base := filepath.Base(name); base < number {
			data, err := migrations.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			kept[base] = &fstest.MapFile{Data: data}
		}
	}
	return kept
}

// What was written before results and states could stand in a call's row is read as it
// was, and gone on from.
func TestMigratesStatesAndResults(t *testing.T) {
	dir := t.TempDir()
	old, err := sqlite.Open(t.Context(), filepath.Join(dir, "engine.db"), sqlite.Config{Migrations: before(t, "00040")})
	if err != nil {
		t.Fatal(err)
	}
	err = old.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(`
			INSERT INTO flow_run (id, flow, name, root_id, parameters, version, refresh, state_type, state_name, state_message, state_time,
				attempts, created, expected_start, owner, owner_pid) VALUES ('r', 'f', 'n', 'r', '{}', 'v', 0, 'FAILED', 'Failed', 'sorry', 4, 1, 1, 1, '', 0);
			INSERT INTO state VALUES ('r', '', 1, 'PENDING', 'Pending', ''), ('r', '', 4, 'FAILED', 'Failed', 'sorry');
			INSERT INTO task_run (flow_run_id, key, name, call_order, state_type, state_name, state_message, state_time, attempts, input_digest,
				codec, digest, size, ref, cached_from, subflow_id, depends_on) VALUES ('r', 'k', 'K', 1, 'COMPLETED', 'Completed', '', 3, 1, 'i', 'json', 'd', 2, 'abc', '', '', '[]');
			INSERT INTO state VALUES ('r', 'k', 2, 'RUNNING', 'Running', ''), ('r', 'k', 3, 'COMPLETED', 'Completed', '');
			INSERT INTO result VALUES ('abc', x'3432');
			INSERT INTO cache VALUES ('entry', 'r', 'json', 'd', 2, 'abc', NULL)`)
		return err
	})
	if err := errors.Join(err, old.Close()); err != nil {
		t.Fatal(err)
	}
	s := open(t, dir)
	state := func(typ engine.StateType, name, message string, at int64) engine.State {
		return engine.State{Type: typ, Name: name, Message: message, Time: time.UnixMicro(at).UTC()}
	}
	want := map[string][]engine.State{
		"":  {state("PENDING", "Pending", "", 1), state("FAILED", "Failed", "sorry", 4)},
		"k": {state("RUNNING", "Running", "", 2), state("COMPLETED", "Completed", "", 3)},
	}
	check := func() {
		t.Helper()
		for key, want := range want {
			if got, err := s.States(t.Context(), "r", key); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("states of %q = %v, %v; want %v", key, got, err, want)
			}
		}
		told := map[string][]engine.State{}
		events, _, gap, err := s.Events(t.Context(), 0, "", 100)
		for _, e := range events {
			if e.State == nil {
				t.Errorf("%+v", e)
				continue
			}
			told[e.TaskKey] = append(told[e.TaskKey], *e.State)
		}
		if err != nil || gap || !reflect.DeepEqual(told, want) {
			t.Errorf("events tell of %v, %v, %v", told, gap, err)
		}
	}
	check()
	calls, err := s.TaskRuns(t.Context(), "r")
	if err != nil || len(calls) != 1 || calls[0].Result == nil {
		t.Fatal(calls, err)
	}
	if data, err := s.ReadResult(t.Context(), *calls[0].Result); err != nil || string(data) != "42" {
		t.Errorf("result %s, %v", data, err)
	}
	if e, err := s.Cached(t.Context(), "entry"); err != nil || e.Result.Ref != "abc" || e.FlowRunID != "r" {
		t.Errorf("%+v, %v", e, err)
	}

	run, err := s.AdoptFlowRun(t.Context(), "r")
	if err != nil {
		t.Fatal(err)
	}
	call := calls[0]
	call.State = engine.After(call.State, now(), engine.TypeRunning, engine.NameRetrying, "once \"more\"\n")
	if err := s.PutTaskRun(t.Context(), engine.TaskPut{Task: call, From: calls[0].State}); err != nil {
		t.Fatal(err)
	}
	want[""], want["k"] = append(want[""], run.State), append(want["k"], call.State)
	check()
}
