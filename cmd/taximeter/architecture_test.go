package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/taximeter/taximeter/"
)

// goPackage is what go list says of one.
type goPackage struct {
	ImportPath, Doc string
	Imports, Deps   []string
}

func packages(t *testing.T) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Doc,Imports,Deps", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var list []goPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); dec.More(); {
		var p goPackage
		if err := dec.Decode(&p); err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
	return list
}

// own returns those of the packages that are this module's, by their short names.
func own(paths []string) []string {
	var names []string
	for _, p := range paths {
		if name, ok := strings.CutPrefix(p, module); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// The arrows in the README are the imports of the code: none more, none less.
func TestArrows(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, block, ok := strings.Cut(string(readme), "```arrows\n")
	block, _, closed := strings.Cut(block, "```")
	if !ok || !closed {
		t.Fatal("the README has no block of arrows")
	}
	want := map[string]string{}
	for line := range strings.Lines(block) {
		from, to, ok := strings.Cut(line, "->")
		if !ok {
			t.Fatalf("no arrow: %q", line)
		}
		names := strings.Fields(to)
		slices.Sort(names)
		want[strings.TrimSpace(from)] = strings.Join(names, " ")
	}
	got := map[string]string{}
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		if !strings.HasPrefix(name, "cmd/") {
			got[name] = strings.Join(own(p.Imports), " ")
		} else if len(own(p.Imports)) == 0 {
			t.Errorf("%s imports nothing of ours", name)
		}
		for _, imported := range own(p.Imports) {
			if strings.HasPrefix(imported, "cmd/") {
				t.Errorf("%s imports %s", name, imported)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if w, ok := want[name]; !ok || w != got[name] {
			t.Errorf("%s -> %s\nthe README says: %s", name, got[name], w)
		}
		delete(want, name)
	}
	for name := range want {
		t.Errorf("the README has arrows of %s, which is no package", name)
	}
}

// The islands know nothing of taxis, and the engine nothing but Go.
func TestIslands(t *testing.T) {
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		island := strings.HasPrefix(name, "engine") || strings.HasPrefix(name, "registry") ||
			slices.Contains([]string{"features/matrix", "models/gbt", "models/linear", "models/tune"}, name)
		for _, dep := range p.Deps {
			if island && (strings.Contains(dep, "parquet") || strings.Contains(dep, "apache/arrow") || dep == module+"data") {
				t.Errorf("%s depends on %s", name, dep)
			}
			if name == "engine" && strings.Contains(strings.Split(dep, "/")[0], ".") {
				t.Errorf("engine depends on %s, which is not in Go's standard library", dep)
			}
		}
	}
}

func TestPackagesSayWhatTheyDo(t *testing.T) {
	for _, p := range packages(t) {
		name := p.ImportPath[strings.LastIndex(p.ImportPath, "/")+1:]
		want := "Package " + name + " "
		if strings.HasPrefix(p.ImportPath, module+"cmd/") {
			want = "Command " + name + " "
		}
		if !strings.HasPrefix(p.Doc, want) {
			t.Errorf("%s opens with %q, want %q…", p.ImportPath, p.Doc, want)
		}
	}
	for _, dir := range strings.Fields("pipeline engine features models registry serve data cmd") {
		if st, err := os.Stat(filepath.Join(root, dir)); err != nil || !st.IsDir() {
			t.Errorf("the top-level folder %s is missing: %v", dir, err)
		}
	}
}

var stop = regexp.MustCompile("`([a-z/_]+\\.go)`[^|]*\\|([^|]*)\\|")

// Each stop of the README's walk is a file that is there and declares what the
// walk names in back quotes.
func TestWalk(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	stops := stop.FindAllStringSubmatch(string(readme), -1)
	if len(stops) < 9 {
		t.Fatalf("the walk has %d stops, want 9", len(stops))
	}
	names := regexp.MustCompile("`([A-Za-z.]+)`")
	for _, s := range stops {
		declared := declarations(t, filepath.Join(root, s[1]))
		for _, n := range names.FindAllStringSubmatch(s[2], -1) {
			if !declared[n[1]] {
				t.Errorf("%s does not declare %s", s[1], n[1])
			}
		}
	}
}

// declarations are the names that a file declares: F for a function, T.M for a
// method, and types, constants and variables.
func declarations(t *testing.T, path string) map[string]bool {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			name := d.Name.Name
			if d.Recv != nil {
				receiver := d.Recv.List[0].Type
				if star, ok := receiver.(*ast.StarExpr); ok {
					receiver = star.X
				}
				name = fmt.Sprintf("%s.%s", receiver, name)
			}
			names[name] = true
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					names[spec.Name.Name] = true
				case *ast.ValueSpec:
					for _, n := range spec.Names {
						names[n.Name] = true
					}
				}
			}
		}
	}
	return names
}

// Nothing is skipped in silence: a test that cannot run fails and says why.
func TestNothingIsSkipped(t *testing.T) {
	skip := regexp.MustCompile(`\bt\.Skip|\bb\.Skip|testing\.Short\(`)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "architecture_test.go") {
			return err
		}
		b, err := os.ReadFile(path)
		if err == nil && skip.Match(b) {
			t.Errorf("%s skips tests", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
