package enginecmd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/history"
)

// ArtifactCommand is "artifact".
func (a *App) ArtifactCommand() *cobra.Command {
	q := engine.ArtifactQuery{}
	var all bool
	var kind, run string
	ls := &cobra.Command{Use: "ls", Short: "List what runs have published, of each key the newest version", Args: Wants(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if q.Limit < 1 {
				return Usage("--limit %d: want at least 1", q.Limit)
			}
			q.Type, q.Latest = engine.ArtifactType(kind), !all && q.Key == "" && run == ""
			return a.listArtifacts(cmd.Context(), q, run)
		}}
	ls.Flags().IntVar(&q.Limit, "limit", 50, "how many")
	ls.Flags().BoolVar(&all, "all", false, "all versions")
	ls.Flags().StringVar(&q.Key, "key", "", "all versions of this key")
	ls.Flags().StringVar(&run, "run", "", "all that a flow run has published")
	ls.Flags().StringVar(&kind, "type", "", "only markdown, table, link, image or progress")
	const refs = "ARTIFACT is a key, for its newest\nversion, key@version, an ID or the beginning of one."
	return Group("artifact", "Reports, tables, links and pictures that runs have published", ls,
		&cobra.Command{Use: "inspect ARTIFACT", Short: "Show an artifact with what is in it", Long: "Show an artifact with what is in it. " + refs, Args: Wants(1, 1),
			RunE: func(cmd *cobra.Command, args []string) error { return a.inspectArtifact(cmd.Context(), args[0]) }},
		&cobra.Command{Use: "delete ARTIFACT", Short: "Delete one version of an artifact", Long: "Delete one version of an artifact. " + refs, Args: Wants(1, 1),
			RunE: func(cmd *cobra.Command, args []string) error { return a.deleteArtifact(cmd.Context(), args[0]) }})
}

func (a *App) listArtifacts(ctx context.Context, q engine.ArtifactQuery, run string) error {
	return a.WithHistory(ctx, func(h *history.Store) error {
		if run != "" {
			found, err := h.Find(ctx, run)
			if err != nil {
				return a.lost(err, "flow-run")
			}
			q.FlowRunID = found.ID
		}
		list, err := h.Artifacts(ctx, q)
		if err != nil {
			return err
		}
		return a.Show(map[string]any{"artifacts": OrEmpty(list)}, func() {
			if len(list) == 0 {
				fmt.Fprintln(a.Out, "no artifact yet: runs publish them")
				return
			}
			a.artifactTable(list)
		})
	})
}

func (a *App) artifactTable(list []engine.Artifact) {
	rows := [][]string{{"ID", "ARTIFACT", "TYPE", "FLOW RUN", "PUBLISHED"}}
	for _, r := range list {
		rows = append(rows, []string{r.ID, artifactName(r), string(r.Type), r.FlowRunID, Ago(r.Updated)})
	}
	a.Table(rows)
}

func artifactName(r engine.Artifact) string {
	if r.Key == "" {
		return "-"
	}
	return fmt.Sprintf("%s@%d", r.Key, r.Version)
}

func (a *App) withArtifact(ctx context.Context, ref string, do func(*history.Store, engine.Artifact) error) error {
	return a.WithHistory(ctx, func(h *history.Store) error {
		found, err := h.Artifact(ctx, ref)
		if err != nil {
			return a.lost(err, "artifact")
		}
		return do(h, found)
	})
}

func (a *App) inspectArtifact(ctx context.Context, ref string) error {
	return a.withArtifact(ctx, ref, func(_ *history.Store, r engine.Artifact) error {
		return a.Show(map[string]any{"artifact": r}, func() {
			fmt.Fprintf(a.Out, "%s  %s  %s, %s\nflow run  %s %s\n", r.ID, artifactName(r), r.Type, Ago(r.Updated), r.FlowRunID, r.TaskKey)
			if r.Description != "" {
				fmt.Fprintln(a.Out, r.Description)
			}
			fmt.Fprintln(a.Out)
			a.printArtifact(r)
		})
	})
}

// printArtifact prints what is in an artifact, for people.
func (a *App) printArtifact(r engine.Artifact) {
	var text string
	var rows []map[string]any
	switch {
	case r.Type == engine.ArtifactTable && json.Unmarshal(r.Data, &rows) == nil && len(rows) > 0:
		a.Table(tableRows(r.Data, rows))
	case json.Unmarshal(r.Data, &text) == nil:
		fmt.Fprintln(a.Out, text)
	default:
		fmt.Fprintf(a.Out, "%s\n", r.Data)
	}
}

func (a *App) deleteArtifact(ctx context.Context, ref string) error {
	return a.withArtifact(ctx, ref, func(h *history.Store, r engine.Artifact) error {
		if err := h.DeleteArtifact(ctx, r.ID); err != nil {
			return err
		}
		return a.Show(map[string]any{"deleted": r.ID}, func() { fmt.Fprintf(a.Out, "deleted %s\n", r.ID) })
	})
}

// tableRows lays out the rows of a table, its columns in the order of the first row.
func tableRows(data json.RawMessage, rows []map[string]any) [][]string {
	var columns []string
	var first []json.RawMessage
	if json.Unmarshal(data, &first) == nil {
		columns = fields(first[0])
	}
	list := [][]string{columns}
	for _, row := range rows {
		var cells []string
		for _, c := range columns {
			cells = append(cells, fmt.Sprint(row[c]))
		}
		list = append(list, cells)
	}
	return list
}

// fields are the names of an object's fields, in their order.
func fields(object json.RawMessage) (names []string) {
	dec := json.NewDecoder(bytes.NewReader(object))
	_, _ = dec.Token() // {
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return names
		}
		var skipped json.RawMessage
		if dec.Decode(&skipped) != nil {
			return names
		}
		names = append(names, fmt.Sprint(name))
	}
	return names
}
