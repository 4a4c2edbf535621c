//go:build parity

package mlflow_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/registry/registrytest"
)

// wire is the folder with what was recorded of the real server.
func wire(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("TAXIMETER_WIRE")
	if _, err := os.Stat(filepath.Join(dir, "mlflow-probe-1.sh")); err != nil {
		t.Fatalf("the parity tests need the recordings of MLflow's server in WIRE: %v", err)
	}
	return dir
}

// TestRealProbe asks our server the same odd questions that MLflow 3.17.2's own
// was asked, and compares the answers, byte for byte up to ids and times.
func TestRealProbe(t *testing.T) {
	server := serve(t)
	cmd := exec.CommandContext(t.Context(), "bash", filepath.Join(wire(t), "mlflow-probe-1.sh"), server.URL)
	cmd.Env = registrytest.Quiet()
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	golden, err := os.ReadFile(filepath.Join(wire(t), "mlflow-probe-1.golden-3.17.txt"))
	if err != nil {
		t.Fatal(err)
	}
	ours, theirs := probeAnswers(string(out)), probeAnswers(string(golden))
	if len(theirs) < 100 {
		t.Fatalf("%d answers recorded", len(theirs))
	}
	used := map[string]bool{}
	for _, question := range slices.Sorted(maps.Keys(theirs)) {
		got, want := ours[question], theirs[question]
		d, differs := differences[question]
		switch {
		case sameAnswer(got, want) && differs:
			t.Errorf("%s: equal, so it is no difference any more", question)
		case !sameAnswer(got, want) && (!differs || !strings.Contains(got, d.answer)):
			t.Errorf("%s\nours   %s\ntheirs %s", question, got, want)
		}
		used[question] = true
	}
	for question := range differences {
		if !used[question] {
			t.Errorf("%s: was not asked", question)
		}
	}
	t.Logf("%d answers compared, %d differ on purpose", len(theirs), len(differences))
}

var (
	runIDs    = regexp.MustCompile(`[0-9a-f]{32}`)
	times     = regexp.MustCompile(`\b1[6-9]\d{11}\b`)
	names     = regexp.MustCompile(`[a-z]+-[a-z]+-\d+`)
	pythonSet = regexp.MustCompile(`\{'[^{}]*'\}'?`) // theirs forgets a closing quote in places
	header    = regexp.MustCompile(`(HTTP/1.1 \d+ [\w ]+?)  .*?    \{`)
)

// probeAnswers maps each line's question to its answer. What is random or the
// time is replaced, and the headers that curl printed are taken away.
func probeAnswers(out string) map[string]string {
	answers := map[string]string{}
	for line := range strings.Lines(out) {
		line = markCut(strings.TrimSpace(line))
		line = runIDs.ReplaceAllString(line, "RUN")
		line = times.ReplaceAllString(line, "TIME")
		line = names.ReplaceAllString(line, "a-name-1")
		line = header.ReplaceAllString(line, "$1 -> {")
		line = pythonSet.ReplaceAllStringFunc(line, func(set string) string {
			items := strings.Split(strings.Trim(strings.TrimSuffix(set, "}'"), "{}"), ", ")
			slices.Sort(items)
			return "{" + strings.Join(items, ", ") + "}"
		})
		if question, answer, ok := strings.Cut(line, " -> "); ok {
			answers[strings.TrimSpace(question)] = answer
		}
	}
	return answers
}

// recordedBytes is how much of an answer the script prints, but for space at its end.
const recordedBytes = 400

// markCut marks an answer that the script has cut off.
func markCut(line string) string {
	_, answer, _ := strings.Cut(line, " -> ")
	if _, body, _ := strings.Cut(answer, "json "); len(body) >= recordedBytes {
		return line + cutMark
	}
	return line
}

const cutMark = "..."

// sameAnswer compares two answers, and of those that are cut off what is sure: where
// the cut is depends on random names, and it may tear an id.
func sameAnswer(a, b string) bool {
	a, cutA := strings.CutSuffix(a, cutMark)
	b, cutB := strings.CutSuffix(b, cutMark)
	if cutA && cutB {
		n := min(len(a), len(b)) - 40
		return a[:n] == b[:n]
	}
	return a == b && cutA == cutB
}

// difference is an answer of ours that is not MLflow's.
type difference struct {
	answer string // what ours has in it
	reason string
}

// Only rows of reference/mlflow.md §1 and §2.9 and of mlflow-3.17.md may stand
// here.
var differences = map[string]difference{
	`[unknown] GET /api/2.0/mlflow/foo`:                    {"404 application/json", "§1.0: JSON where the real server has a page of HTML"},
	`[unknownroot] GET /foo`:                               {"404 application/json", "§1.0"},
	`[wrongmethod] GET /api/2.0/mlflow/experiments/create`: {"405 application/json", "§1.0"},
	`[list] POST /api/2.0/mlflow/experiments/create [1]`:   {"400 application/json", "§2.9: theirs is 500"},
	`[dup] POST /api/2.0/mlflow/experiments/create {"name":"Default"}`: {
		`RESOURCE_ALREADY_EXISTS", "message": "Experiment(name=Default) already exists.`, "§2.9: theirs tells its SQL"},
	`[runcreate_noexp] POST /api/2.0/mlflow/runs/create {}`: {`"experiment_id": "0"`, "§2.9: theirs tells its SQL; here it is a run of the default experiment, as §1.2 has it"},
	`[flt] POST /api/2.0/mlflow/runs/search {"experiment_ids":["0"],"max_results":1,"filter":"params.p IS NULL"}`: {
		`"runs": [`, "§2.9: finds the run of runs/create without an experiment"},
	`[searchruns_ob] POST /api/2.0/mlflow/runs/search {"experiment_ids":["0"],"order_by":["metrics.x","metrics.x"]}`: {
		"`order_by` contains duplicate fields: ['metrics.x', 'metrics.x']", "§2.9: theirs is 500, with the same message"},
	`[searchruns_view] POST /api/2.0/mlflow/runs/search {"experiment_ids":["0"],"run_view_type":"BOGUS","max_results":1}`: {
		"400 application/json", "§2.9: theirs does not mind"},
	`[updbad] POST /api/2.0/mlflow/runs/update {"run_id":"RUN","status":"BOGUS"}`: {"400 application/json", "§2.9: theirs does not mind"},
}
