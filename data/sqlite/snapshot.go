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

// Snapshot is the file as it was at one time. Each reads it past database/sql,
// whose conversions cost more than SQLite does: for what reads thousands of rows
// or runs hundreds of queries to answer one request. It is not safe for
// concurrent use.
type Snapshot struct {
	*sql.Tx
	conn *sql.Conn
	args []driver.NamedValue
	row  []driver.Value
}

// Snapshot runs do on one snapshot of the file, which ends with it.
func (db *DB) Snapshot(ctx context.Context, do func(s *Snapshot) error) error {
	conn, err := db.read.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() // gives it back
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // nothing was written; the error would say that the snapshot is gone
	return do(&Snapshot{Tx: tx, conn: conn})
}

// Each runs a query with so many columns, which stays prepared, and gives each
// row to do, which must not keep the slice nor use the snapshot. Integers are
// int64, real numbers float64, texts string; so must the arguments be.
func (s *Snapshot) Each(columns int, do func(row []driver.Value) error, text string, args ...any) error {
	s.args = s.args[:0]
	for i, a := range args {
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	for len(s.row) < columns {
		s.row = append(s.row, nil)
	}
	return s.conn.Raw(func(c any) error {
		raw, ok := c.(*sqlite3.SQLiteConn)
		if !ok {
			return fmt.Errorf("%T is no connection of SQLite's", c)
		}
		rows, err := raw.QueryContext(context.Background(), text, s.args)
		if err != nil {
			return err
		}
		for err == nil {
			if err = rows.Next(s.row[:columns]); err == nil {
				err = do(s.row[:columns])
			}
		}
		if err == io.EOF {
			err = nil
		}
		return errors.Join(err, rows.Close())
	})
}
