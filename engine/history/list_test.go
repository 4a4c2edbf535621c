package history

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/schedule"
)

// A run that was planned long ago stands where it was due, one that was asked for
// today stands today, whatever date it is of, and pages of the list fit together.
func TestListedByWhenTheyWereDue(t *testing.T) {
	s := open(t, t.TempDir())
	at := now().Truncate(time.Second)
	add := func(id string, created, due time.Time) {
		run := engine.FlowRun{ID: id, RootID: id, Flow: "f", Parameters: []byte("{}"), Created: created, ExpectedStart: due,
			State: engine.State{Type: engine.TypePending, Name: engine.NamePending, Time: created}}
		if _, err := s.CreateFlowRun(t.Context(), run); err != nil {
			t.Fatal(err)
		}
	}
	add("backfilled", at.Add(-2*time.Hour), at.AddDate(-3, 0, 0))
	add("planned", at.AddDate(0, -2, 0), at.Add(-time.Hour))
	add("by-hand", at.Add(-90*time.Minute), at.Add(-90*time.Minute))
	add("twin-a", at, at)
	add("twin-b", at, at.Add(-time.Hour))
	d, err := s.ApplyDeployments(t.Context(), []schedule.Deployment{{Flow: "f", Name: "d", Schedules: []schedule.Schedule{{Cron: "* * * * *"}}}})
	if err != nil {
		t.Fatal(err)
	}
	if ahead, err := s.DeploymentRuns(t.Context(), d[0].Spec, true, 9); err != nil || len(ahead) != 9 {
		t.Fatal(len(ahead), err)
	}
	want := []string{"twin-a", "twin-b", "planned", "by-hand", "backfilled"}
	for _, q := range []engine.RunQuery{{}, {Flow: "f"}, {States: []engine.StateType{engine.TypePending, engine.TypeScheduled}}} {
		var got []string
		for q.Limit = 2; ; {
			page, err := s.Search(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range page {
				got = append(got, r.ID)
				q.After = engine.Place{Listed: r.Listed(), ID: r.ID}
			}
			if len(page) < q.Limit {
				break
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%+v: %v, want %v", q, got, want)
		}
	}
	if runs, err := s.List(t.Context(), "f", 9); err != nil || len(runs) != 5 || runs[2].ID != "planned" {
		t.Errorf("%+v, %v", runs, err)
	}
	if runs, err := s.Search(t.Context(), engine.RunQuery{Ahead: true, Limit: 1000}); err != nil || len(runs) < 5+60 {
		t.Errorf("with what is ahead %d, %v", len(runs), err)
	}
}

// What people ask for most reads an index, not the table.
func TestQueriesHaveAnIndex(t *testing.T) {
	s := open(t, t.TempDir())
	for query, want := range map[string]string{
		strings.NewReplacer("?1", "'abcd'", "?2", "'x'").Replace(findQuery):                                                         "sqlite_autoindex_flow_run_1 flow_run_name",
		`SELECT * FROM flow_run INDEXED BY flow_run_top WHERE parent_id IS NULL AND ` + begun + ` ORDER BY listed DESC, id LIMIT 9`: "flow_run_top",
	} {
		rows, err := s.db.Read().QueryContext(t.Context(), `EXPLAIN QUERY PLAN `+query)
		steps, err := collect(rows, err, func(row scanner) (step string, err error) {
			var a, b, c int
			return step, row.Scan(&a, &b, &c, &step)
		})
		plan := fmt.Sprint(steps)
		if err != nil || strings.Contains(plan, "SCAN flow_run]") || !slices.ContainsFunc(steps, func(s string) bool { return strings.Contains(s, "USING INDEX") }) {
			t.Errorf("%v, %v", plan, err)
		}
		for _, index := range strings.Fields(want) {
			if !strings.Contains(plan, index) {
				t.Errorf("%s does not use %s", plan, index)
			}
		}
	}
}
