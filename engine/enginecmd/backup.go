package enginecmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/data/sqlite"
)

// BackupCommand copies the home while it is in use.
func (a *App) BackupCommand() *cobra.Command {
	return &cobra.Command{Use: "backup DIRECTORY", Short: "Copy the home as it is at one time, while it is in use", Args: Wants(1, 1),
		Long: fmt.Sprintf(`Copy the home's databases, artifacts, results and settings to a new directory, which is
a home itself: %s --home DIRECTORY works on the copy. Servers and runs may go on
meanwhile. What can be fetched again is not copied.`, a.Name),
		RunE: func(cmd *cobra.Command, args []string) error { return a.backup(cmd.Context(), args[0]) }}
}

// copied is what a backup took.
type copied struct {
	Directory string   `json:"directory"`
	Databases []string `json:"databases"`
	Files     int      `json:"files"`
	Bytes     int64    `json:"bytes"`
}

// backup copies databases before files: a file is there before the row that
// names it, so that every file that a copied row names is there to be copied.
func (a *App) backup(ctx context.Context, to string) error {
	home, err := a.HomeDir()
	if err != nil {
		return err
	}
	if to, err = filepath.Abs(to); err != nil {
		return fmt.Errorf("find the backup's directory: %w", err)
	}
	if entries, err := os.ReadDir(to); err == nil && len(entries) > 0 {
		return Usage("%s is not empty: want a directory that is new", to)
	}
	if rel, err := filepath.Rel(home, to); err == nil && filepath.IsLocal(rel) {
		return Usage("%s is inside of the home that is to be copied", to)
	}
	var databases []string
	entries, err := os.ReadDir(home)
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".db") && e.Type().IsRegular() {
			databases = append(databases, e.Name())
		}
	}
	if err != nil || len(databases) == 0 {
		return Usage("there is nothing in %s to back up", home).Hint("--home names another place")
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return fmt.Errorf("make the backup's directory: %w", err)
	}
	done := copied{Directory: to, Databases: databases}
	for _, name := range databases {
		if err := sqlite.Backup(ctx, filepath.Join(home, name), filepath.Join(to, name)); err != nil {
			return err
		}
	}
	for _, name := range []string{"artifacts", "results", "config.toml"} {
		if err := done.tree(ctx, filepath.Join(home, name), filepath.Join(to, name)); err != nil {
			return fmt.Errorf("copy %s: %w", name, err)
		}
	}
	return a.Show(done, func() {
		fmt.Fprintf(a.Out, "copied %s and %d files (%d bytes) to %s\n", strings.Join(done.Databases, ", "), done.Files, done.Bytes, to)
	})
}

// tree copies the file or directory at from, if there is one, without what is
// being written. What vanishes meanwhile was deleted for good.
func (c *copied) tree(ctx context.Context, from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err = errors.Join(err, context.Cause(ctx)); err != nil {
			return err
		}
		if strings.HasPrefix(d.Name(), ".tmp-") {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		target := filepath.Join(to, strings.TrimPrefix(path, from))
		if d.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		if !d.Type().IsRegular() {
			return nil
		}
		n, err := copyFile(path, target)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		c.Files, c.Bytes = c.Files+1, c.Bytes+n
		return err
	})
}

func copyFile(from, to string) (n int64, err error) {
	in, err := os.Open(from)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return 0, err
	}
	n, err = io.Copy(out, in)
	return n, errors.Join(err, out.Close())
}
