package models

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/taximeter/taximeter/features"
	"github.com/taximeter/taximeter/models/gbt"
)

func TestLoadRefuses(t *testing.T) {
	models := fitted(t, features.Pair)
	directory := func(m *Model) fstest.MapFS {
		files, err := m.Files(Card{})
		if err != nil {
			t.Fatal(err)
		}
		dir := fstest.MapFS{}
		for _, f := range files {
			dir[f.Name] = &fstest.MapFile{Data: f.Bytes}
		}
		return dir
	}
	for _, name := range []string{MLmodelFile, ModelFile, VectorizerFile} {
		dir := directory(models[1])
		delete(dir, name)
		if _, err := Load(dir); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
		for _, m := range models {
			dir = directory(m)
			whole := dir[name].Data
			for cut := 0; cut < len(whole); cut += max(1, len(whole)/20) {
				if name == MLmodelFile && bytes.Contains(whole[:cut], []byte("data: model.json\n    model_class")) {
					break // what is cut off says nothing that Load needs
				}
				dir[name].Data = whole[:cut]
				if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), name) {
					t.Errorf("with %d of %d bytes of %s: %v", cut, len(whole), name, err)
				}
			}
		}
	}
	for _, c := range []struct{ name, old, new, want string }{
		{MLmodelFile, "xgboost:\n    code", "lightgbm:\n    code", "no xgboost flavor"},
		{MLmodelFile, "data: model.json\n    model_class", "data: ../model.json\n    model_class", "outside the directory"},
		{MLmodelFile, "kind: gbt", "kind: linear", `booster is "gbtree"`},
		{MLmodelFile, "kind: gbt", "kind: forest", `unknown kind of model "forest"`},
		{MLmodelFile, "flavors:", "flavors: [", MLmodelFile},
		{VectorizerFile, `"features":"PU_DO"`, `"features":"PU,DO"`, "vectorizer is not for"},
		{VectorizerFile, `"features":"PU_DO"`, `"features":"nothing"`, `unknown feature encoding "nothing"`},
		{VectorizerFile, `"vectorizer"`, `"Vector"`, "no vectorizer"},
		{VectorizerFile, `"format":"dict-vectorizer"`, `"format":"pickle"`, `format "pickle"`},
	} {
		dir := directory(models[1])
		text := strings.Replace(string(dir[c.name].Data), c.old, c.new, 1)
		if text == string(dir[c.name].Data) {
			t.Fatalf("%s holds no %q", c.name, c.old)
		}
		dir[c.name].Data = []byte(text)
		if _, err := Load(dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with %q: error %v, want %q in it", c.name, c.new, err, c.want)
		}
	}
}

// A directory that mlflow itself logged says nothing of the kind.
func TestLoadFindsKind(t *testing.T) {
	for _, m := range fitted(t, features.Pair) {
		dir := t.TempDir()
		writeDirectory(t, dir, m, Card{})
		plain := "flavors:\n  python_function:\n    data: model.json\n    loader_module: mlflow.xgboost\n  xgboost:\n    data: model.json\n"
		if err := os.WriteFile(filepath.Join(dir, MLmodelFile), []byte(plain), 0o600); err != nil {
			t.Fatal(err)
		}
		back, err := Load(os.DirFS(dir))
		if err != nil {
			t.Fatal(err)
		}
		if back.Kind != m.Kind {
			t.Errorf("%s was taken for %s", m, back)
		}
	}
}

// As mlflow logs a booster by default now.
func TestLoadUBJSON(t *testing.T) {
	m := fitted(t, features.Pair)[1]
	dir := t.TempDir()
	writeDirectory(t, dir, m, Card{})
	for _, format := range []gbt.Format{{UBJSON: true}, {UBJSON: true, XGBoost3: true}, {XGBoost3: true}} {
		var b bytes.Buffer
		if err := m.Trees.Write(&b, format); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "model.ubj"), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, MLmodelFile), []byte("flavors:\n  xgboost:\n    data: model.ubj\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		back, err := Load(os.DirFS(dir))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := predict(t, back), predict(t, m); !reflect.DeepEqual(got, want) {
			t.Errorf("%+v: predicts %v after loading, %v before", format, got, want)
		}
	}
}
