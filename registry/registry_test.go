package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestMetricJSON(t *testing.T) {
	for value, want := range map[float64]string{
		1: "1.0", 6.459853: "6.459853", 20e-6: "2e-05", 1234567: "1234567.0", 1e16: "1e+16", -0.0001: "-0.0001",
		math.MaxFloat64: "1.7976931348623157e+308", math.Inf(1): `"Infinity"`, 0: "0.0",
	} {
		m := Metric{Key: "m", Value: value, Timestamp: 1700000000123, Step: -3}
		b, err := json.Marshal(m)
		if want := `{"key":"m","value":` + want + `,"timestamp":1700000000123,"step":-3}`; err != nil || string(b) != want {
			t.Errorf("%v: got %s, %v; want %s", value, b, err, want)
		}
		var back Metric
		if err := json.Unmarshal(b, &back); err != nil || back != m {
			t.Errorf("%s: got back %+v, %v", b, back, err)
		}
	}
	b, err := json.Marshal(Metric{Key: "m", Value: math.NaN()})
	if err != nil || !strings.Contains(string(b), `"value":"NaN"`) {
		t.Errorf("NaN: %s, %v", b, err)
	}
	var m Metric
	if err := json.Unmarshal(b, &m); err != nil || !math.IsNaN(m.Value) {
		t.Errorf("NaN came back as %v, %v", m.Value, err)
	}
	if err := json.Unmarshal([]byte(`{"key":"m","value":"six"}`), &m); err == nil {
		t.Error("a value that is no number is taken")
	}
}

func TestErrors(t *testing.T) {
	err := fmt.Errorf("stage model: %w", Errorf(ResourceDoesNotExist, "no such run: %w", fs.ErrNotExist))
	if CodeOf(err) != ResourceDoesNotExist || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("code %s of %v", CodeOf(err), err)
	}
	if CodeOf(nil) != "" || CodeOf(io.EOF) != InternalError {
		t.Errorf("codes of no error and of an uncoded one: %q, %q", CodeOf(nil), CodeOf(io.EOF))
	}
	for code, want := range map[Code]int{ResourceDoesNotExist: 404, ResourceAlreadyExists: 400, InternalError: 500, "NEVER_HEARD_OF": 500} {
		if got := code.Status(); got != want {
			t.Errorf("status of %s: %d, want %d", code, got, want)
		}
	}
}

func TestArtifactPaths(t *testing.T) {
	for _, p := range []string{"a", "a/b c/é+%.txt", "a..b/..c", "images/img%25step%250.png", "model/"} {
		if err := CheckArtifactPath(p); err != nil {
			t.Errorf("%q: %v", p, err)
		}
	}
	for _, p := range []string{"", "..", "../a", "a/../../b", "/a", `a\b`, `C:\x`, "C:/x", "file:///etc/passwd", "%2e%2e/a", "a/%252e%252e/b",
		"..%5ca", "%2fetc", "a\x00", "a%00b", "a\nb", "a#b", "http://x/y"} {
		if err := CheckArtifactPath(p); CodeOf(err) != InvalidParameterValue {
			t.Errorf("%q: %v, want it refused", p, err)
		}
	}
}

func FuzzCheckArtifactPath(f *testing.F) {
	f.Add("a/../b")
	f.Add("%2e%2e%2f")
	f.Fuzz(func(t *testing.T, p string) {
		if CheckArtifactPath(p) == nil && (path.Join("root", p) != "root" && !strings.HasPrefix(path.Join("root", p), "root/") || path.IsAbs(p)) {
			t.Errorf("%q leads to %q", p, path.Join("root", p))
		}
	})
}

func TestArtifactName(t *testing.T) {
	for uri, want := range map[string]string{
		"mlflow-artifacts:/1/abc/artifacts":   "1/abc/artifacts",
		"mlflow-artifacts:/1/abc/artifacts/":  "1/abc/artifacts",
		"mlflow-artifacts:///1/abc/artifacts": "1/abc/artifacts",
		"mlflow-artifacts:/":                  ".",
	} {
		if got, err := ArtifactName(uri); err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", uri, got, err, want)
		}
	}
	for _, uri := range []string{"s3://bucket/x", "/tmp/x", "file:///tmp/x", "mlflow-artifacts://host/x", "mlflow-artifacts:/../x", "mlflow-artifacts:/%2e%2e/x", ""} {
		if got, err := ArtifactName(uri); CodeOf(err) != InvalidParameterValue {
			t.Errorf("%s: got %q, %v; want it refused", uri, got, err)
		}
	}
}

func TestCut(t *testing.T) {
	for _, test := range []struct {
		in   string
		n    int
		want string
	}{{"abc", 3, "abc"}, {"abcd", 3, "abc"}, {"éöü", 2, "éö"}, {"éöü", 3, "éöü"}, {"", 0, ""}} {
		if got := Cut(test.in, test.n); got != test.want {
			t.Errorf("Cut(%q, %d) = %q, want %q", test.in, test.n, got, test.want)
		}
	}
}

func TestNames(t *testing.T) {
	for _, name := range []string{"m", "NYC Ride é", "a%2Fb", strings.Repeat("a", 257)} {
		if err := CheckModelName("name", name); err != nil {
			t.Errorf("model %q: %v", name, err)
		}
	}
	for _, name := range []string{"", " ", "a/b", "a:b", ".", "..", "..a"} {
		if CheckModelName("name", name) == nil {
			t.Errorf("model %q is taken", name)
		}
	}
	if st, err := ParseStage("pRODUCTION"); st != StageProduction || err != nil {
		t.Errorf("stage: %s, %v", st, err)
	}
	if n, err := ParseVersion("12"); n != 12 || err != nil {
		t.Errorf("version: %d, %v", n, err)
	}
}

// mapFiles are Files in memory, to test FS against the rules of io/fs.
type mapFiles struct {
	Files
	m fstest.MapFS
}

func (f mapFiles) OpenFile(_ context.Context, name string) (io.ReadCloser, error) {
	if st, err := fs.Stat(f.m, name); err != nil || st.IsDir() {
		return nil, Errorf(ResourceDoesNotExist, "No such artifact: '%s'", name)
	}
	return f.m.Open(name)
}

func (f mapFiles) ListFiles(_ context.Context, name string) ([]FileInfo, error) {
	entries, err := fs.ReadDir(f.m, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var found []FileInfo
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		found = append(found, FileInfo{e.Name(), e.IsDir(), info.Size()})
	}
	slices.SortFunc(found, func(a, b FileInfo) int { return strings.Compare(a.Path, b.Path) })
	return found, err
}

func TestFS(t *testing.T) {
	files := mapFiles{m: fstest.MapFS{
		"1/run/artifacts/model/MLmodel":    {Data: []byte("flavors:")},
		"1/run/artifacts/model/deep/x":     {Data: []byte("x")},
		"1/run/artifacts/model/model.json": {Data: []byte("{}")},
		"1/other/secret":                   {Data: []byte("s")},
	}}
	fsys, err := FS(t.Context(), files, "mlflow-artifacts:/1/run/artifacts/model")
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(fsys, "MLmodel", "deep/x", "model.json"); err != nil {
		t.Error(err)
	}
	if b, err := fs.ReadFile(fsys, "MLmodel"); string(b) != "flavors:" || err != nil {
		t.Errorf("MLmodel: %q, %v", b, err)
	}
	if _, err := fs.ReadFile(fsys, "nope"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := fs.ReadFile(fsys, "../../../other/secret"); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("path out of the folder: %v", err)
	}
	if _, err := FS(t.Context(), files, "s3://bucket/model"); CodeOf(err) != InvalidParameterValue {
		t.Errorf("artifacts elsewhere: %v", err)
	}
}
