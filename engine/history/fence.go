package history

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/engine"
)

// fence keeps processes from writing runs that are not theirs any more. Who owns a
// run it reads once, and again after anything was written that may have changed it:
// by another process, or by this one if it was more than a call's record. A flow
// whose calls end one after the other asks SQLite for a number then, not for rows.
type fence struct {
	version int64             // of the file when owners were read
	owners  map[string]string // by flow run: the owner of the run at the top
}

// begin begins a transaction.
func (f *fence) begin(tx *sqlite.Tx) error {
	version, err := tx.DataVersion()
	if err != nil {
		return fmt.Errorf("see whether others have written: %w", err)
	}
	if version != f.version || f.owners == nil || len(f.owners) > maxOwners {
		f.version, f.owners = version, map[string]string{}
	}
	return nil
}

const maxOwners = 1000

// forget is called where owners may have been changed, or were read in a transaction
// that was not committed.
func (f *fence) forget() { clear(f.owners) }

// mayWrite returns ErrSuperseded unless the run is this process's.
func (b *batch) mayWrite(s *Store, flowRunID string) error {
	owner, known := b.fence.owners[flowRunID]
	if !known {
		var err error
		if owner, err = ownerOf(context.Background(), b.tx, flowRunID); err != nil {
			return err
		}
		b.fence.owners[flowRunID] = owner
	}
	return s.mustOwn(flowRunID, owner)
}

// mayWrite is the same within a transaction of any kind.
func (s *Store) mayWrite(ctx context.Context, tx *sqlite.Tx, flowRunID string) error {
	owner, err := ownerOf(ctx, tx, flowRunID)
	if err != nil {
		return err
	}
	return s.mustOwn(flowRunID, owner)
}

func (s *Store) mustOwn(flowRunID, owner string) error {
	if owner != s.owner.id {
		return fmt.Errorf("flow run %s: %w", flowRunID, engine.ErrSuperseded)
	}
	return nil
}

func ownerOf(ctx context.Context, tx *sqlite.Tx, flowRunID string) (owner string, err error) {
	err = tx.QueryRowContext(ctx, `SELECT top.owner FROM flow_run run JOIN flow_run top ON top.id = run.root_id WHERE run.id = ?`, flowRunID).Scan(&owner)
	if errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("flow run %s: %w", flowRunID, engine.ErrNotFound)
	}
	if err != nil {
		return "", fmt.Errorf("read the owner of flow run %s: %w", flowRunID, err)
	}
	return owner, nil
}
