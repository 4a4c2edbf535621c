package data

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestOpenFile(t *testing.T) {
	const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	for _, test := range []struct {
		name  string
		taxi  Taxi
		month string
	}{
		{"green_tripdata_2021-01.parquet", Green, "2021-01"},
		{"yellow_tripdata_2009-12.parquet", Yellow, "2009-12"},
		{"fhv_tripdata_2021-01.parquet", "", ""},
		{"green_tripdata_2021-1.parquet", "", ""},
		{"green_tripdata_2021-01.csv", "", ""},
		{"january.parquet", "", ""},
	} {
		path := filepath.Join(t.TempDir(), test.name)
		if err := os.WriteFile(path, []byte("abc"), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := OpenFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got.Taxi != test.taxi || got.Month.String() != test.month || got.Size != 3 || got.SHA256 != abc || got.Path != path {
			t.Errorf("OpenFile(%s) = %+v", test.name, got)
		}
	}
	if _, err := OpenFile(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}
