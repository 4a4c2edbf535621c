package pipeline

import (
	"context"
	"fmt"
	"strings"

	"github.com/taximeter/taximeter/engine"
)

// Keys of what a training shows to people. Each training makes a version of them.
const (
	ReportArtifact = "rmse-report"
	ModelsArtifact = "models"
)

// modelRow is one model in the table of a training's models.
type modelRow struct {
	Model     string  `json:"model"`
	Features  string  `json:"features"`
	RMSETrain float64 `json:"rmse_train"`
	RMSEValid float64 `json:"rmse_valid"`
	Run       string  `json:"run_id"`
	Note      string  `json:"note"`
}

// publishReport shows what came of a training due on a day: the least error, and
// every model's.
func publishReport(date string) engine.Task[loggedRuns, struct{}] {
	return engine.Task[loggedRuns, struct{}]{
		Name: "Publish report",
		Func: func(ctx context.Context, in loggedRuns) (none struct{}, err error) {
			t := engine.From(ctx)
			if _, err := engine.Publish(t, engine.Markdown(ReportArtifact, markdownReport(date, in.Runs))); err != nil {
				return none, err
			}
			rows := []modelRow{}
			for _, r := range in.Runs {
				rows = append(rows, modelRow{r.Name, r.Features, r.RMSETrain, r.RMSEValid, r.RunID, note(r)})
			}
			table := engine.Table(ModelsArtifact, rows)
			table.Description = "Every model of the training of " + date
			_, err = engine.Publish(t, table)
			return none, err
		},
	}
}

// note says what is particular about a run: why it failed, or that its model is no good.
func note(r TrackedRun) string {
	switch {
	case r.Error != "":
		message, _, _ := strings.Cut(r.Error, "\n")
		return "failed: " + message
	case r.WorseThanMean:
		return "worse than the mean"
	}
	return ""
}

// markdownReport is the report of a training: its day and its errors in minutes.
func markdownReport(date string, runs []TrackedRun) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# RMSE report\n\n## Ride durations, training of %s\n\n", date)
	b.WriteString("| Model | RMSE on training rides | RMSE on validation rides |\n|:---|---:|---:|\n")
	best := -1
	for i, r := range runs {
		if r.Error != "" {
			fmt.Fprintf(&b, "| %s | – | – |\n", r.Name)
			continue
		}
		fmt.Fprintf(&b, "| %s | %.2f | %.2f |\n", r.Name, r.RMSETrain, r.RMSEValid)
		if best < 0 || r.RMSEValid < runs[best].RMSEValid {
			best = i
		}
	}
	if best >= 0 {
		fmt.Fprintf(&b, "\nThe best is **%s**: %.2f minutes.\n", runs[best].Name, runs[best].RMSEValid)
	}
	return b.String()
}
