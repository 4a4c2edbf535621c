package blob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// contents are all blobs, and what is being written, by name.
func contents(t *testing.T, path string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(path, func(at string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(at)
		name, _ := filepath.Rel(path, at)
		all[filepath.ToSlash(name)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func want(t *testing.T, path string, files map[string]string) {
	t.Helper()
	if got := contents(t, path); fmt.Sprint(got) != fmt.Sprint(files) {
		t.Errorf("stored are %q, want %q", got, files)
	}
}

func one(name, content string) File { return File{Names: []string{name}, Bytes: []byte(content)} }

func TestPutAll(t *testing.T) {
	d, path := open(t)
	if err := d.PutAll(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time replaces it with the same
		err := d.PutAll(t.Context(), []File{
			{Names: []string{"run/model/trees", "model/trees", "run/trees"}, Bytes: []byte("trees")}, one("run/model/code/x.py", "x"), one("run/empty", ""),
			{Names: []string{"run/model/MLmodel", "model/MLmodel"}, Bytes: []byte("all")},
		})
		if err != nil {
			t.Fatal(err)
		}
		want(t, path, map[string]string{"run/model/trees": "trees", "model/trees": "trees", "run/trees": "trees", "run/model/code/x.py": "x",
			"run/empty": "", "run/model/MLmodel": "all", "model/MLmodel": "all"})
	}
	first, err := os.Stat(filepath.Join(path, "run/model/trees"))
	if err != nil {
		t.Fatal(err)
	}
	if other, err := os.Stat(filepath.Join(path, "model/trees")); err != nil || !os.SameFile(first, other) {
		t.Errorf("one file takes two places, %v", err)
	}
	if err := d.PutAll(t.Context(), []File{one("a", "x"), one("../b", "x")}); !errors.Is(err, ErrName) {
		t.Errorf("PutAll of a name outside = %v, want ErrName", err)
	}
}

func TestFailedPutAllLeavesNoDrafts(t *testing.T) {
	d, path := open(t)
	if err := d.PutAll(t.Context(), []File{one("folder/a", "a")}); err != nil {
		t.Fatal(err)
	}
	kept := map[string]string{"folder/a": "a"}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.PutAll(ctx, []File{one("x/a", "1"), one("x/b", "2")}); !errors.Is(err, context.Canceled) {
		t.Errorf("PutAll = %v, want context.Canceled", err)
	}
	want(t, path, kept)
	// Below a file there is no folder; nothing replaces a folder.
	if err := d.PutAll(t.Context(), []File{one("x", "1"), one("folder/a/b", "2"), one("y", "3")}); err == nil {
		t.Error("a file was put below a file")
	}
	want(t, path, kept)
	if err := d.PutAll(t.Context(), []File{one("folder", "1"), one("y", "2")}); err == nil {
		t.Error("a folder was replaced")
	}
	want(t, path, kept)
}

func TestLinksDoNotKnowOfEachOther(t *testing.T) {
	d, path := open(t)
	put := func(name, content string) {
		t.Helper()
		if _, err := d.Put(t.Context(), name, strings.NewReader(content)); err != nil {
			t.Fatal(err)
		}
	}
	link := func(from, to string) {
		t.Helper()
		if err := d.Link(t.Context(), from, to); err != nil {
			t.Fatal(err)
		}
	}
	put("a/file", "one")
	put("staged", "old")
	for range 2 {
		link("a/file", "staged")
		link("a/file", "b/file")
		link("b/file", "b/file")
	}
	want(t, path, map[string]string{"a/file": "one", "b/file": "one", "staged": "one"})
	put("b/file", "two")
	want(t, path, map[string]string{"a/file": "one", "b/file": "two", "staged": "one"})
	if err := d.Delete("a"); err != nil {
		t.Fatal(err)
	}
	want(t, path, map[string]string{"b/file": "two", "staged": "one"})
	link("b/file", "staged")
	if err := d.copy(t.Context(), "staged", "copy"); err != nil {
		t.Fatal(err)
	}
	want(t, path, map[string]string{"b/file": "two", "staged": "two", "copy": "two"})
	for _, from := range []string{"nothing", "b"} {
		if err := d.Link(t.Context(), from, "c"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Link of %s = %v, want ErrNotExist", from, err)
		}
	}
	for _, to := range []string{"../c", "b"} {
		if err := d.Link(t.Context(), "staged", to); err == nil {
			t.Errorf("Link to %s succeeded", to)
		}
	}
	want(t, path, map[string]string{"b/file": "two", "staged": "two", "copy": "two"})
}

// Who is not root cannot write into what several names share.
func TestSharedFilesAreReadOnly(t *testing.T) {
	d, path := open(t)
	if err := d.PutAll(t.Context(), []File{{Names: []string{"a", "b"}, Bytes: []byte("x")}, one("c", "x")}); err != nil {
		t.Fatal(err)
	}
	if err := d.Link(t.Context(), "c", "d"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b", "c", "d"} {
		if st, err := os.Stat(filepath.Join(path, name)); err != nil || st.Mode().Perm()&0o222 != 0 {
			t.Errorf("%s: mode %v, %v; want nobody to write", name, st.Mode(), err)
		}
	}
}

func BenchmarkPutModelTwice(b *testing.B) {
	d, err := OpenDir(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	trees := bytes.Repeat([]byte("0123456789"), 700_000)
	var files, again []File
	for i := range 9 {
		f := one(fmt.Sprintf("run/model/%d", i), "some text")
		if i == 0 {
			f.Bytes = trees
		}
		files = append(files, File{Names: []string{f.Names[0], fmt.Sprintf("model/%d", i)}, Bytes: f.Bytes})
		again = append(again, f, one(fmt.Sprintf("model/%d", i), string(f.Bytes)))
	}
	b.Run("together", func(b *testing.B) {
		for b.Loop() {
			if err := d.PutAll(b.Context(), files); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("each", func(b *testing.B) {
		for b.Loop() {
			for _, f := range again {
				if _, err := d.Put(b.Context(), f.Names[0], bytes.NewReader(f.Bytes)); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

// A name that is given twice is one name, and nothing else is left behind.
func TestPutAllUnderANameTwice(t *testing.T) {
	d, path := open(t)
	if err := d.PutAll(t.Context(), []File{{Names: []string{"a", "b", "a"}, Bytes: []byte("x")}}); err != nil {
		t.Fatal(err)
	}
	want(t, path, map[string]string{"a": "x", "b": "x"})
}
