package sqlite

import (
	"database/sql"
	"path/filepath"
	"testing"
)

// A backup is whole however many write meanwhile, and leaves alone what is there.
func TestBackup(t *testing.T) {
	from, to := filepath.Join(t.TempDir(), "a dir?#%", "x.db"), filepath.Join(t.TempDir(), "copy.db")
	pairs := `CREATE TABLE pairs (a INTEGER, b INTEGER);`
	db, err := Open(t.Context(), from, Config{Migrations: migrations(pairs)})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		for i := 0; ; i++ {
			err := db.Write(t.Context(), func(tx *sql.Tx) error {
				if _, err := tx.Exec(`INSERT INTO pairs VALUES (?, 0)`, i); err != nil {
					return err
				}
				_, err := tx.Exec(`UPDATE pairs SET b = ? WHERE a = ?`, i, i)
				return err
			})
			select {
			case <-stop:
				stopped <- err
				return
			default:
			}
			if err != nil {
				stopped <- err
				return
			}
		}
	}()
	err = Backup(t.Context(), from, to)
	close(stop)
	if writer := <-stopped; err != nil || writer != nil {
		t.Fatal(err, writer)
	}
	copied, err := Open(t.Context(), to, Config{Migrations: migrations(pairs)})
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	var torn int
	if err := copied.Read().QueryRow(`SELECT count(*) FROM pairs WHERE a != b`).Scan(&torn); err != nil || torn != 0 {
		t.Errorf("%d rows of half a transaction, %v", torn, err)
	}
	if err := Backup(t.Context(), from, to); err == nil {
		t.Error("a backup replaced another")
	}
	if err := Backup(t.Context(), from+"x", to+"x"); err == nil {
		t.Error("what is not there was backed up")
	}
}
