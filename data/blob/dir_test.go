package blob

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func open(t *testing.T) (*Dir, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "blobs")
	d, err := OpenDir(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d, path
}

func TestPutAndRead(t *testing.T) {
	d, _ := open(t)
	info, err := d.Put(t.Context(), "a/b/c.txt", strings.NewReader("ride"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Size != 4 || info.Name != "a/b/c.txt" {
		t.Errorf("Put = %+v", info)
	}
	if got, err := d.ReadFile("a/b/c.txt"); err != nil || string(got) != "ride" {
		t.Errorf("ReadFile = %q, %v", got, err)
	}
	if st, err := d.Stat("a/b"); err != nil || !st.IsDir {
		t.Errorf("Stat of a folder = %+v, %v", st, err)
	}
}

func TestListHidesWhatIsBeingWritten(t *testing.T) {
	d, path := open(t)
	for _, name := range []string{"x/2", "x/1", "x/sub/3"} {
		if _, err := d.Put(t.Context(), name, strings.NewReader(name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(path, "x", tempPrefix+"half"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	list, err := d.List("x")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, i := range list {
		names = append(names, i.Name)
	}
	if got, want := strings.Join(names, " "), "x/1 x/2 x/sub"; got != want {
		t.Errorf("List = %s, want %s", got, want)
	}
	if none, err := d.List("nowhere"); err != nil || len(none) != 0 {
		t.Errorf("List of nothing = %v, %v", none, err)
	}
}

func TestNamesStayInside(t *testing.T) {
	d, path := open(t)
	if err := os.WriteFile(filepath.Join(filepath.Dir(path), "secret"), []byte("s"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("..", filepath.Join(path, "up")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../secret", "/etc/passwd", "a/../../secret", "", ".", "a//b", `a\b`, "a\x00b"} {
		if _, err := d.Put(t.Context(), name, strings.NewReader("x")); !errors.Is(err, ErrName) {
			t.Errorf("Put(%q) = %v, want ErrName", name, err)
		}
		if _, err := d.Open(name); !errors.Is(err, ErrName) {
			t.Errorf("Open(%q) = %v, want ErrName", name, err)
		}
	}
	if _, err := d.Open("up/secret"); err == nil {
		t.Error("Open followed a link out of the directory")
	}
}

func TestFailedPutLeavesNothing(t *testing.T) {
	d, path := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Put(ctx, "a/b", strings.NewReader("x")); !errors.Is(err, context.Canceled) {
		t.Fatalf("Put = %v, want context.Canceled", err)
	}
	broken := io.MultiReader(strings.NewReader("x"), iotestErr{})
	if _, err := d.Put(t.Context(), "a/b", broken); err == nil {
		t.Fatal("Put of a broken reader succeeded")
	}
	entries, err := os.ReadDir(filepath.Join(path, "a"))
	if err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	if _, err := d.Open("a/b"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open = %v, want ErrNotExist", err)
	}
	if _, err := d.Open("a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open of a folder = %v, want ErrNotExist", err)
	}
}

type iotestErr struct{}

func (iotestErr) Read([]byte) (int, error) { return 0, errors.New("cable pulled") }

func TestDelete(t *testing.T) {
	d, _ := open(t)
	if _, err := d.Put(t.Context(), "a/b", strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := d.Delete("a"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Stat("a/b"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Stat = %v, want ErrNotExist", err)
	}
}
