//go:build parity

package mlflow_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// recorded is one exchange of MLflow 3.17.2's client with its own server.
type recorded struct {
	Method      string  `json:"m"`
	Path        string  `json:"p"`
	ContentType *string `json:"ct"`
	Body        string  `json:"b"`
	Status      int     `json:"s"`
	AnswerType  *string `json:"rct"`
	Answer      string  `json:"rb"`
}

// TestRealTraffic sends our server what MLflow's client sent its own while
// doing everything trainers do, and compares the answers: the same fields with
// the same values, up to ids, times and the order of what has keys.
func TestRealTraffic(t *testing.T) {
	f, err := os.Open(filepath.Join(wire(t), "client-3.17-traffic.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	replay := &replay{server: serve(t), ours: map[string]string{}}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	n, differing := 0, 0
	step := ""
	for lines.Scan() {
		var r recorded
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		if _, mark, ok := strings.Cut(r.Path, "/health?MARK="); ok {
			step = mark
			continue
		}
		n++
		if problem := replay.do(t, r); problem != "" {
			if reason := trafficDifference(r); reason != "" {
				differing++
				continue
			}
			t.Errorf("%s: %s %s %.300s: %s", step, r.Method, r.Path, r.Body, problem)
		}
	}
	if err := lines.Err(); err != nil || n < 400 {
		t.Fatalf("%d exchanges, %v", n, err)
	}
	t.Logf("%d exchanges replayed, %d differ on purpose", n, differing)
}

// trafficDifference says why the answer to an exchange is another; empty if it
// should not be.
func trafficDifference(r recorded) string {
	for _, d := range []struct{ method, path, reason string }{
		{"GET", "/version", "mlflow.md §1.7: 3.3.2, so that clients upload traces as artifacts: there is no OTLP here"},
		{"GET", "/api/3.0/mlflow/server-info", "mlflow-3.17.md §0: no gateway, no presigned uploads"},
		{"GET", "/api/3.0/mlflow/workspaces", "mlflow-3.17.md §1: theirs is 503, which clients repeat for minutes"},
		{"POST", "/api/3.0/mlflow/traces", "mlflow.md §1.10: writing traces is 501"},
		{"POST", "/v1/traces", "mlflow.md §1.10"},
		{"GET", "/api/3.0/mlflow/traces/batchGet", "mlflow.md §1.10: no traces are found"},
		{"POST", "/api/3.0/mlflow/traces/search", "mlflow.md §1.10"},
		{"POST", "/api/2.0/mlflow/webhooks", "mlflow.md §1.10: 501"},
	} {
		if place, _, _ := strings.Cut(r.Path, "?"); r.Method == d.method && place == d.path {
			return d.reason
		}
	}
	return ""
}

type replay struct {
	server *httptest.Server
	ours   map[string]string // the ids that stand for recorded ones
}

var (
	anyID   = regexp.MustCompile(`[0-9a-f]{32}`)
	binary  = regexp.MustCompile(`^<(\d+)B>$`)
	timeKey = regexp.MustCompile(`time|timestamp`)
)

func (p *replay) mapped(s string) string {
	return anyID.ReplaceAllStringFunc(s, func(id string) string {
		if ours, ok := p.ours[id]; ok {
			return ours
		}
		return id
	})
}

func (p *replay) do(t *testing.T, r recorded) (problem string) {
	t.Helper()
	body, contentType := p.mapped(r.Body), ""
	if m := binary.FindStringSubmatch(r.Body); m != nil {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		body = strings.Repeat("x", n)
	}
	if r.ContentType != nil {
		contentType = *r.ContentType
	}
	status, answer, header := exchange(t, p.server, r.Method, p.mapped(r.Path), contentType, body)
	if status != r.Status {
		return fmt.Sprintf("%d %.300s, want %d %.300s", status, answer, r.Status, r.Answer)
	}
	if r.AnswerType == nil || !strings.Contains(*r.AnswerType, "json") || strings.Contains(r.Path, "/mlflow-artifacts/artifacts/") {
		return ""
	}
	if got := header.Get("Content-Type"); got != *r.AnswerType {
		return fmt.Sprintf("content type %s, want %s", got, *r.AnswerType)
	}
	var got, want any
	if err := json.Unmarshal([]byte(r.Answer), &want); err != nil {
		return "" // cut off when it was recorded
	}
	if err := json.Unmarshal([]byte(answer), &got); err != nil {
		return err.Error()
	}
	return p.differ("", got, want)
}

// differ says where two JSON values differ, and learns which id is which.
func (p *replay) differ(at string, got, want any) string {
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s is %.200v, want an object", at, got)
		}
		for name, value := range want {
			inner, there := object[name]
			if empty, isObject := value.(map[string]any); !there && !(isObject && len(empty) == 0) {
				return fmt.Sprintf("%s.%s is missing: want %.200v", at, name, value)
			} else if there {
				if problem := p.differ(at+"."+name, inner, value); problem != "" {
					return problem
				}
			}
		}
		for name := range object {
			// MLflow's protocol has the model_id of a version; its server does not tell it.
			if _, there := want[name]; !there && name != "files" && !(name == "model_id" && strings.Contains(at, "version")) {
				return fmt.Sprintf("%s.%s is too much: %.200v", at, name, object[name])
			}
		}
		return ""
	case []any:
		list, _ := got.([]any)
		if len(list) != len(want) {
			return fmt.Sprintf("%s has %d items, want %d: %.300v, want %.300v", at, len(list), len(want), got, want)
		}
		p.byKey(list)
		p.byKey(want)
		for i := range want {
			if problem := p.differ(fmt.Sprintf("%s[%d]", at, i), list[i], want[i]); problem != "" {
				return problem
			}
		}
		return ""
	case string:
		text, _ := got.(string)
		ids, mine := anyID.FindAllString(want, -1), anyID.FindAllString(text, -1)
		if len(ids) == len(mine) {
			for i := range ids {
				if p.ours[ids[i]] == "" {
					p.ours[ids[i]] = mine[i]
				}
			}
		}
		if text != p.mapped(want) && !strings.HasSuffix(at, ".run_name") && !strings.HasSuffix(at, ".next_page_token") {
			return fmt.Sprintf("%s is %.300q, want %.300q", at, text, p.mapped(want))
		}
		return ""
	}
	if timeKey.MatchString(at) {
		return ""
	}
	if got != want && !(got == "NaN" && strings.HasPrefix(at, ".model")) { // theirs forgets NaN in logged models
		return fmt.Sprintf("%s is %v, want %v", at, got, want)
	}
	return ""
}

// byKey sorts what has keys or ids; other lists have an order.
func (p *replay) byKey(list []any) {
	key := func(v any) string {
		object, _ := v.(map[string]any)
		key, _ := object["key"].(string)
		if step, ok := object["step"].(float64); ok && key != "" {
			key += fmt.Sprintf(" %020.0f", step)
		}
		if id, ok := object["model_id"].(string); ok && len(object) == 2 { // an output
			key = p.mapped(id)
		}
		if dataset, ok := object["dataset"].(map[string]any); ok {
			key = fmt.Sprint(dataset["name"], dataset["digest"])
		}
		return key
	}
	slices.SortStableFunc(list, func(a, b any) int { return strings.Compare(key(a), key(b)) })
}
