package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/data"
	"github.com/taximeter/taximeter/engine/enginecmd"
)

func (a *app) monthsCommand() *cobra.Command {
	var dir string
	ls := &cobra.Command{Use: "ls", Short: "List the months that are here", Args: enginecmd.Wants(0, 0), RunE: func(cmd *cobra.Command, _ []string) error {
		return a.listMonths(cmd.Context(), dir)
	}}
	ls.Flags().StringVar(&dir, "data", "", "directory to look in besides the home's cache")

	get := &cobra.Command{Use: "get TAXI MONTH...", Short: "Fetch months into the home's cache",
		Long: "Fetch months into the home's cache, such as: taximeter months get green 2021-01 2021-02\nA range is written 2021-01..2021-06.",
		Args: enginecmd.Wants(2, -1), RunE: func(cmd *cobra.Command, args []string) error { return a.getMonths(cmd.Context(), args) }}

	var synth data.Synth
	var into string
	var force bool
	makeCmd := &cobra.Command{Use: "make TAXI MONTH...", Short: "Synthesise months that look like TLC's",
		Long: "Synthesise months with TLC's columns, types and dirt, for where the real ones cannot\nbe had. The same seed makes the same bytes.",
		Args: enginecmd.Wants(2, -1), RunE: func(cmd *cobra.Command, args []string) error {
			return a.makeMonths(cmd.Context(), synth, args, into, force)
		}}
	makeCmd.Flags().Uint64Var(&synth.Seed, "seed", 1, "of the rides")
	makeCmd.Flags().IntVar(&synth.Rows, "rows", 0, "rides a month (default: about a green month's)")
	makeCmd.Flags().StringVar(&into, "out", "", "directory to write to (default: the home's cache)")
	makeCmd.Flags().BoolVar(&force, "force", false, "replace months that are there")
	return enginecmd.Group("months", "List, fetch and synthesise months of rides", ls, get, makeCmd)
}

func (a *app) listMonths(ctx context.Context, dir string) error {
	dir, err := existingDir("--data", dir)
	if err != nil {
		return err
	}
	source, err := a.months(dir)
	if err != nil {
		return err
	}
	files, err := source.List(ctx, "")
	if err != nil {
		return fmt.Errorf("list months: %w", err)
	}
	return a.Show(map[string]any{"months": enginecmd.OrEmpty(files)}, func() {
		if len(files) == 0 {
			fmt.Fprintln(a.Out, `no month here: "taximeter months get green 2021-01" fetches one`)
			return
		}
		rows := [][]string{{"TAXI", "MONTH", "MB", "PATH"}}
		for _, f := range files {
			rows = append(rows, []string{string(f.Taxi), f.Month.String(), fmt.Sprintf("%.2f", float64(f.Size)/1e6), f.Path})
		}
		a.Table(rows)
	})
}

// parseMonths reads a taxi and months, each one month or a range.
func parseMonths(args []string) (data.Taxi, []data.Month, error) {
	taxi, err := data.ParseTaxi(args[0])
	if err != nil {
		return "", nil, enginecmd.Usage("%v", err)
	}
	var months []data.Month
	for _, arg := range args[1:] {
		first, last, isRange := strings.Cut(arg, "..")
		from, err := data.ParseMonth(first)
		if err != nil {
			return "", nil, enginecmd.Usage("%v", err)
		}
		to := from
		if isRange {
			if to, err = data.ParseMonth(last); err != nil {
				return "", nil, enginecmd.Usage("%v", err)
			}
		}
		if to.Compare(from) < 0 {
			return "", nil, enginecmd.Usage("%s: the range ends before it begins", arg)
		}
		for m := from; m.Compare(to) <= 0; m = m.Add(1) {
			months = append(months, m)
		}
	}
	return taxi, months, nil
}

func (a *app) getMonths(ctx context.Context, args []string) error {
	taxi, months, err := parseMonths(args)
	if err != nil {
		return err
	}
	source, err := a.months("")
	if err != nil {
		return err
	}
	w := enginecmd.Watch(a.Err)
	defer w.Close()
	source.Progress = w.Fetched
	files := []data.File{}
	for _, m := range months {
		f, err := source.Locate(ctx, taxi, m)
		if err != nil {
			return err
		}
		files = append(files, f)
	}
	w.Close()
	return a.showMonths(files)
}

func (a *app) showMonths(files []data.File) error {
	return a.Show(map[string]any{"months": files}, func() {
		for _, f := range files {
			fmt.Fprintf(a.Out, "%s %s  %s  %s\n", f.Taxi, f.Month, f.SHA256[:16], f.Path)
		}
	})
}

func (a *app) makeMonths(ctx context.Context, synth data.Synth, args []string, dir string, force bool) error {
	taxi, months, err := parseMonths(args)
	if err != nil {
		return err
	}
	if synth.Rows < 0 {
		return enginecmd.Usage("--rows %d: want a positive number", synth.Rows)
	}
	if dir == "" {
		source, err := a.months("")
		if err != nil {
			return err
		}
		dir = source.Cache
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	files := []data.File{}
	for _, m := range months {
		synth.Taxi, synth.Month = taxi, m
		f, err := writeMonth(ctx, synth, filepath.Join(dir, data.FileName(taxi, m)), force)
		if err != nil {
			return err
		}
		a.Note("synthesised %s %s, seed %d: these rides never were", taxi, m, synth.Seed)
		files = append(files, f)
	}
	return a.showMonths(files)
}

// writeMonth writes the month aside and then puts it in its place.
func writeMonth(ctx context.Context, synth data.Synth, path string, force bool) (data.File, error) {
	if _, err := os.Stat(path); err == nil && !force {
		return data.File{}, enginecmd.Usage("%s is there already", path).Hint("--force replaces it, --out writes elsewhere")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return data.File{}, fmt.Errorf("synthesise a month: %w", err)
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".synth-*")
	if err != nil {
		return data.File{}, fmt.Errorf("synthesise a month: %w", err)
	}
	err = synth.Write(ctx, temp)
	err = errors.Join(err, temp.Chmod(0o644), temp.Sync(), temp.Close())
	if err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		return data.File{}, errors.Join(fmt.Errorf("synthesise %s: %w", path, err), os.Remove(temp.Name()))
	}
	return data.OpenFile(path)
}
