package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/mattn/go-sqlite3"
	"github.com/pressly/goose/v3"
)

// ErrNewer is wrapped by Open's error about a file that a newer program wrote.
var ErrNewer = errors.New("its schema is newer than this program")

// ErrForeign is wrapped by Open's error about a file of another program.
var ErrForeign = errors.New("it is a database of another program")

// migrate brings the file's schema to the newest of migrations.
func migrate(ctx context.Context, db *sql.DB, migrations fs.FS) error {
	p, err := goose.NewProvider(goose.DialectSQLite3, db, migrations)
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	sources := p.ListSources()
	newest := sources[len(sources)-1].Version
	has, err := p.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if has > newest {
		return fmt.Errorf("%w: version %d, this program knows %d; use the newer taximeter", ErrNewer, has, newest)
	}
	if has == newest {
		return nil
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// refuseForeign returns an error when the file has tables and none of them is
// the one where we keep our schema version. It only reads, unless the process that
// wrote last was killed in the midst of it: to read on is then to roll that back.
func (db *DB) refuseForeign(ctx context.Context) error {
	if st, err := os.Stat(db.path); errors.Is(err, fs.ErrNotExist) || err == nil && st.Size() == 0 {
		return nil
	}
	tables, ours, alembic, err := db.countTables(ctx, "ro")
	var e sqlite3.Error
	if errors.As(err, &e) && e.Code == sqlite3.ErrReadonly {
		tables, ours, alembic, err = db.countTables(ctx, "rw")
	}
	switch {
	case err != nil:
		return err
	case alembic > 0:
		return fmt.Errorf("%w: MLflow's own (it holds alembic_version)", ErrForeign)
	case tables > 0 && ours == 0:
		return ErrForeign
	}
	return nil
}

// countTables counts the tables of the file, and those that tell whose it is.
func (db *DB) countTables(ctx context.Context, mode string) (tables, ours, alembic int, err error) {
	reader, err := sql.Open("sqlite3", fmt.Sprintf("%s?mode=%s&_busy_timeout=%d", db.uri(), mode, db.config.BusyTimeout.Milliseconds()))
	if err != nil {
		return 0, 0, 0, err
	}
	defer reader.Close()
	err = reader.QueryRowContext(ctx, `
		SELECT count(*), count(*) FILTER (WHERE name = 'goose_db_version'), count(*) FILTER (WHERE name = 'alembic_version')
		FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`).Scan(&tables, &ours, &alembic)
	return tables, ours, alembic, err
}
