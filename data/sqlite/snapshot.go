package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"github.com/mattn/go-sqlite3"
)

// Snapshot reads the file as it was at one time, past database/sql: for what
// runs thousands of small queries to answer one request.
type Snapshot struct {
	conn *sqlite3.SQLiteConn
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
	return conn.Raw(func(c any) error {
		raw, ok := c.(*sqlite3.SQLiteConn)
		if !ok {
			return fmt.Errorf("%T is no connection of SQLite's", c)
		}
		s := &Snapshot{conn: raw}
		if err := s.exec("BEGIN"); err != nil {
			return err
		}
		return errors.Join(do(s), s.exec("ROLLBACK"))
	})
}

func (s *Snapshot) exec(text string) error {
	_, err := s.conn.ExecContext(context.Background(), text, nil)
	return err
}

// Each runs a query, which stays prepared, and gives each row to do, which must
// not keep the slice. Integers are int64, real numbers float64, texts string.
func (s *Snapshot) Each(do func(row []driver.Value) error, text string, args ...any) error {
	s.args = s.args[:0]
	for i, a := range args {
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	rows, err := s.conn.QueryContext(context.Background(), text, s.args)
	if err != nil {
		return err
	}
	for s.row = s.row[:0]; len(s.row) < len(rows.Columns()); {
		s.row = append(s.row, nil)
	}
	for err == nil {
		if err = rows.Next(s.row); err == nil {
			err = do(s.row)
		}
	}
	if err == io.EOF {
		err = nil
	}
	return errors.Join(err, rows.Close())
}
