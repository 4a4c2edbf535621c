package history

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/engine"
)

// Every state that a run was in is kept, and never changed: those that a call entered
// in its first write stand in its own row, which is written anyway, and all others are
// rows of the table state.

// appendState adds a state to the history.
func appendState(ctx context.Context, tx *sqlite.Tx, flowRunID, taskKey string, s engine.State) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO state (flow_run_id, task_key, time, type, name, message) VALUES (?, ?, ?, ?, ?, ?)`,
		flowRunID, taskKey, s.Time.UnixMicro(), s.Type, s.Name, s.Message)
	if err != nil {
		return fmt.Errorf("record a state of flow run %s: %w", flowRunID, err)
	}
	return nil
}

// tell adds a state that stands in a call's row to what has happened.
func (b *batch) tell(t engine.TaskRun, s engine.State) error {
	_, err := b.exec(`INSERT INTO event (subject, task_key, time, type, name, message) VALUES (?, ?, ?, ?, ?, ?)`,
		t.FlowRunID, t.Key, s.Time.UnixMicro(), s.Type, s.Name, s.Message)
	if err != nil {
		return fmt.Errorf("tell of a state of task %s of flow run %s: %w", t.Key, t.FlowRunID, err)
	}
	return nil
}

// packStates is how states stand in a call's row: as a list of lists in JSON.
func packStates(states []engine.State) string {
	b := make([]byte, 0, 64*len(states)+2)
	b = append(b, '[')
	for i, s := range states {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendText(append(b, '['), string(s.Type))
		b = appendText(append(b, ','), s.Name)
		b = appendText(append(b, ','), s.Message)
		b = strconv.AppendInt(append(b, ','), s.Time.UnixMicro(), 10)
		b = append(b, ']')
	}
	return string(append(b, ']'))
}

// appendText appends a text as JSON.
func appendText(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			data, _ := json.Marshal(text) // a string cannot fail
			return append(b, data...)
		}
	}
	b = append(append(b, '"'), text...)
	return append(b, '"')
}

func unpackStates(text string) ([]engine.State, error) {
	var packed [][]json.RawMessage
	if err := json.Unmarshal([]byte(text), &packed); err != nil {
		return nil, err
	}
	states := make([]engine.State, len(packed))
	for i, p := range packed {
		var at int64
		into := []any{&states[i].Type, &states[i].Name, &states[i].Message, &at}
		if len(p) != len(into) {
			return nil, fmt.Errorf("a state of %d parts", len(p))
		}
		for j := range into {
			if err := json.Unmarshal(p[j], into[j]); err != nil {
				return nil, err
			}
		}
		states[i].Time = time.UnixMicro(at).UTC()
	}
	return states, nil
}

// States returns every state of a flow run (taskKey "") or of one of its calls,
// oldest first.
func (s *Store) States(ctx context.Context, flowRunID, taskKey string) (states []engine.State, err error) {
	err = s.db.Snapshot(ctx, func(snapshot *sqlite.Snapshot) error {
		states = nil
		rows, err := snapshot.QueryContext(ctx, `SELECT states FROM task_run WHERE flow_run_id = ? AND key = ?`, flowRunID, taskKey)
		first, err := collect(rows, err, func(row scanner) (text string, err error) { return text, row.Scan(&text) })
		for _, text := range first {
			if states, err = unpackStates(text); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
		rows, err = snapshot.QueryContext(ctx, `
			SELECT type, name, message, time FROM state WHERE flow_run_id = ? AND task_key = ? ORDER BY time`, flowRunID, taskKey)
		later, err := collect(rows, err, func(row scanner) (st engine.State, err error) {
			var at sql.NullInt64
			err = row.Scan(&st.Type, &st.Name, &st.Message, &at)
			st.Time = fromMicros(at)
			return st, err
		})
		states = append(states, later...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the states of flow run %s %s: %w", flowRunID, taskKey, err)
	}
	return states, nil
}
