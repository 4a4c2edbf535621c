package data

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Taxi is a kind of taxi, as TLC's file names spell it.
type Taxi string

// The taxis whose files have both zones and a distance.
const (
	Green  Taxi = "green"
	Yellow Taxi = "yellow"
)

// ParseTaxi reads the name of a taxi.
func ParseTaxi(s string) (Taxi, error) {
	switch t := Taxi(s); t {
	case Green, Yellow:
		return t, nil
	}
	return "", fmt.Errorf("parse taxi %q: want green or yellow", s)
}

// first is the first month TLC published for a taxi.
func (t Taxi) first() Month {
	if t == Yellow {
		return Month{2009, 1}
	}
	return Month{2013, 8}
}

// File is one month's file, identified by its content: the path says where the
// bytes are at the moment and is no part of the identity.
type File struct {
	Taxi   Taxi   `json:"taxi"`  // empty when the name of a directly named file does not tell
	Month  Month  `json:"month"` // zero likewise
	Path   string `json:"path" cache:"-"`
	SHA256 string `json:"sha256"` // lower-case hex; empty when not computed
	Size   int64  `json:"size"`   // bytes
}

// FileName returns the name TLC gives a month's file.
func FileName(taxi Taxi, m Month) string {
	return string(taxi) + "_tripdata_" + m.String() + ".parquet"
}

// parseFileName is the inverse of FileName.
func parseFileName(name string) (Taxi, Month, bool) {
	stem, isParquet := strings.CutSuffix(name, ".parquet")
	kind, month, isTrips := strings.Cut(stem, "_tripdata_")
	taxi, errTaxi := ParseTaxi(kind)
	m, errMonth := ParseMonth(month)
	ok := isParquet && isTrips && errTaxi == nil && errMonth == nil && FileName(taxi, m) == name
	if !ok {
		return "", Month{}, false
	}
	return taxi, m, true
}

// OpenFile identifies the file at path: its size, the hash of its bytes, and
// the taxi and month when its name is one of TLC's. It does not look at what
// the bytes mean; ReadTrips does. An error wraps fs.ErrNotExist where there is
// no such file.
func OpenFile(path string) (File, error) {
	r, err := os.Open(path)
	if err != nil {
		return File{}, fmt.Errorf("identify month: %w", err)
	}
	defer r.Close()
	hash := sha256.New()
	size, err := io.Copy(hash, r)
	if err != nil {
		return File{}, fmt.Errorf("identify month: %w", err)
	}
	f := File{Path: path, SHA256: hex.EncodeToString(hash.Sum(nil)), Size: size}
	if taxi, month, ok := parseFileName(filepath.Base(path)); ok {
		f.Taxi, f.Month = taxi, month
	}
	return f, nil
}
