package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Backup copies the SQLite file at from, as it is at one time, to a new file at
// to. Others may write to it meanwhile, and do not wait.
func Backup(ctx context.Context, from, to string) (err error) {
	if _, err := os.Stat(from); err != nil {
		return fmt.Errorf("back up %s: %w", from, err)
	}
	if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("back up %s: %s is there already", from, to)
	}
	reader := &DB{path: from, config: Config{}}
	db, err := sql.Open("sqlite3", reader.uri()+"?mode=ro&_busy_timeout=30000")
	if err != nil {
		return fmt.Errorf("back up %s: %w", from, err)
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err := db.ExecContext(ctx, `VACUUM INTO ?`, to); err != nil {
		return errors.Join(fmt.Errorf("back up %s: %w", from, err), os.Remove(to))
	}
	if err := syncFile(to); err != nil {
		return fmt.Errorf("back up %s: %w", from, err)
	}
	return nil
}
