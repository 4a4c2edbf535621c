package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/mattn/go-sqlite3"
)

// Tx is a write transaction for who commits thousands of small ones a second. It
// goes past database/sql, whose transaction starts a goroutine and parses BEGIN and
// COMMIT each time: a third of what such a commit takes. It is not safe for
// concurrent use.
type Tx struct {
	conn *sql.Conn
	raw  *sqlite3.SQLiteConn // conn's; nobody else has it meanwhile
	args []driver.NamedValue
}

// Transact is Write with a transaction that costs less.
func (db *DB) Transact(ctx context.Context, do func(tx *Tx) error) error {
	return db.patiently(ctx, func() error { return db.transact(ctx, do) })
}

func (db *DB) transact(ctx context.Context, do func(tx *Tx) error) error {
	conn, err := db.write.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() // gives it back
	tx := &Tx{conn: conn}
	err = conn.Raw(func(c any) error {
		var ok bool
		if tx.raw, ok = c.(*sqlite3.SQLiteConn); !ok {
			return fmt.Errorf("%T is no connection of SQLite's", c)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := tx.run(`BEGIN IMMEDIATE`); err != nil {
		return err
	}
	defer tx.rollback()
	if err := do(tx); err != nil {
		return err
	}
	return tx.run(`COMMIT`)
}

// rollback ends a transaction that was not committed. A connection that cannot do
// even that is closed.
func (tx *Tx) rollback() {
	if tx.raw.AutoCommit() {
		return
	}
	if err := tx.run(`ROLLBACK`); err != nil || !tx.raw.AutoCommit() {
		_ = tx.conn.Raw(func(any) error { return driver.ErrBadConn })
	}
}

// run carries out a statement without arguments, which stays prepared.
func (tx *Tx) run(query string) error {
	rows, err := tx.raw.QueryContext(context.Background(), query, nil)
	if err != nil {
		return err
	}
	if err = rows.Next(nil); err == io.EOF {
		err = nil
	}
	return errors.Join(err, rows.Close())
}

// ExecContext is that of a *sql.Tx. The statement stays prepared, and runs to its
// end whatever becomes of the context.
func (tx *Tx) ExecContext(_ context.Context, query string, args ...any) (sql.Result, error) {
	tx.args = tx.args[:0]
	for i, arg := range args {
		value, err := driver.DefaultParameterConverter.ConvertValue(arg)
		if err != nil {
			return nil, fmt.Errorf("argument %d: %w", i+1, err)
		}
		tx.args = append(tx.args, driver.NamedValue{Ordinal: i + 1, Value: value})
	}
	return tx.raw.ExecContext(context.Background(), query, tx.args)
}

// QueryContext is that of a *sql.Tx.
func (tx *Tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return tx.conn.QueryContext(ctx, query, args...)
}

// QueryRowContext is that of a *sql.Tx.
func (tx *Tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	return tx.conn.QueryRowContext(ctx, query, args...)
}

// DataVersion is a number that stays the same for as long as no other connection, in
// this process or another, has committed anything.
func (tx *Tx) DataVersion() (int64, error) {
	rows, err := tx.raw.QueryContext(context.Background(), `PRAGMA data_version`, nil)
	if err != nil {
		return 0, err
	}
	row := []driver.Value{nil}
	err = rows.Next(row)
	n, _ := row[0].(int64)
	return n, errors.Join(err, rows.Close())
}
