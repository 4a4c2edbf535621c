package data

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// DefaultBaseURL is where TLC publishes its trip records.
const DefaultBaseURL = "https://d37ci6vzurychx.cloudfront.net/trip-data"

// Source is where months are looked for: first in directories that are only
// read, then in a cache, then at TLC's address, from where they go into the
// cache. The zero Source fetches nothing, for lack of a cache. A Source may be
// used from several goroutines, and several processes may share a cache.
type Source struct {
	Dirs    []string // looked into in this order; one that does not exist holds no months
	Cache   string   // directory for fetched months, made when needed; empty: none
	BaseURL string   // empty: DefaultBaseURL
	Offline bool     // never ask the network

	Client   *http.Client                         // nil: http.DefaultClient
	Attempts int                                  // tries of a fetch, with growing pauses between; 0: 4
	Backoff  time.Duration                        // the first pause, doubled each time; 0: a second
	Progress func(name string, done, total int64) // called often by each fetch, in bytes; total is -1 when not known
	Now      func() time.Time                     // nil: time.Now
}

// Locate finds a month's file, fetching it when it is nowhere here, and
// identifies it by its content. A *NotPublishedError or *NetworkError tells why
// there is none; a *CorruptError that what was fetched is no Parquet file, twice.
func (s *Source) Locate(ctx context.Context, taxi Taxi, m Month) (File, error) {
	f, err := s.locate(ctx, taxi, m)
	if err != nil {
		return File{}, fmt.Errorf("locate %s %s: %w", taxi, m, err)
	}
	return f, nil
}

func (s *Source) locate(ctx context.Context, taxi Taxi, m Month) (File, error) {
	if _, err := ParseTaxi(string(taxi)); err != nil {
		return File{}, err
	}
	if m.IsZero() {
		return File{}, errors.New("no month given")
	}
	for _, dir := range s.dirs() {
		f, err := OpenFile(filepath.Join(dir, FileName(taxi, m)))
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
	}
	if s.Offline {
		return File{}, &NetworkError{URL: s.url(taxi, m), Err: errors.New("working offline")}
	}
	if s.Cache == "" {
		return File{}, fmt.Errorf("no such file in %q, and no cache to fetch it into: %w", s.Dirs, fs.ErrNotExist)
	}
	return s.fetch(ctx, taxi, m)
}

// List returns the months of a taxi that are here, oldest first, each from the
// place Locate would take it from; every taxi's when taxi is empty. The files
// are not read: SHA256 is empty.
func (s *Source) List(ctx context.Context, taxi Taxi) ([]File, error) {
	seen := map[string]bool{}
	var files []File
	for _, dir := range s.dirs() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		entries, err := os.ReadDir(dir)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("list months: %w", err)
		}
		for _, entry := range entries {
			kind, m, ok := parseFileName(entry.Name())
			if !ok || seen[entry.Name()] || (taxi != "" && kind != taxi) {
				continue
			}
			path := filepath.Join(dir, entry.Name())
			info, err := os.Stat(path) // follows links, as opening would
			if err != nil || !info.Mode().IsRegular() {
				continue // gone since, or no file: not a month
			}
			seen[entry.Name()] = true
			files = append(files, File{Taxi: kind, Month: m, Path: path, Size: info.Size()})
		}
	}
	slices.SortFunc(files, func(a, b File) int {
		if c := a.Month.Compare(b.Month); c != 0 {
			return c
		}
		if a.Taxi < b.Taxi {
			return -1
		}
		return 1
	})
	return files, nil
}

// dirs are the directories to look into, in order.
func (s *Source) dirs() []string {
	if s.Cache == "" {
		return s.Dirs
	}
	return append(slices.Clone(s.Dirs), s.Cache)
}

func (s *Source) url(taxi Taxi, m Month) string {
	base := s.BaseURL
	if base == "" {
		base = DefaultBaseURL
	}
	for len(base) > 0 && base[len(base)-1] == '/' {
		base = base[:len(base)-1]
	}
	return base + "/" + FileName(taxi, m)
}

func (s *Source) client() *http.Client {
	if s.Client == nil {
		return http.DefaultClient
	}
	return s.Client
}

func (s *Source) now() Month {
	if s.Now == nil {
		return MonthOf(time.Now())
	}
	return MonthOf(s.Now())
}
