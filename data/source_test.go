package data

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
)

// cloud is a server of months that can be as troublesome as TLC's.
type cloud struct {
	absent   int                                               // status for what is not there; 0: 403
	meddle   func(w http.ResponseWriter, r *http.Request) bool // true: answered
	mu       sync.Mutex
	files    map[string][]byte
	requests []string // "GET name" and "GET name bytes=10-"
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := path.Base(r.URL.Path)
	c.mu.Lock()
	c.requests = append(c.requests, strings.TrimSpace(r.Method+" "+name+" "+r.Header.Get("Range")))
	content, ok := c.files[name]
	c.mu.Unlock()
	if c.meddle != nil && c.meddle(w, r) {
		return
	}
	if !ok {
		status := c.absent
		if status == 0 {
			status = http.StatusForbidden
		}
		http.Error(w, "no", status)
		return
	}
	w.Header().Set("ETag", fmt.Sprintf(`"%d"`, len(content)))
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(content))
}

func (c *cloud) gets(name string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, r := range c.requests {
		if strings.HasPrefix(r, "GET "+name) {
			n++
		}
	}
	return n
}

func month(t testing.TB, s string) Month {
	t.Helper()
	m, err := ParseMonth(s)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// newCloud serves the same small month under the names of the given ones.
func newCloud(t *testing.T, months ...string) (*cloud, *Source) {
	t.Helper()
	content := plainSheet(3000, parquet.Microsecond, 1e6).bytes(t)
	c := &cloud{files: map[string][]byte{}}
	for _, m := range months {
		c.files[FileName(Green, month(t, m))] = content
	}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	return c, &Source{
		Cache:   filepath.Join(t.TempDir(), "months"),
		BaseURL: server.URL + "/trip-data/",
		Client:  server.Client(),
		Backoff: time.Millisecond,
		Now:     func() time.Time { return time.Date(2026, 10, 20, 0, 0, 0, 0, time.UTC) },
	}
}

func TestLocateFetchesOnce(t *testing.T) {
	c, s := newCloud(t, "2021-01")
	var done, total int64
	s.Progress = func(name string, d, n int64) {
		if name != "green_tripdata_2021-01.parquet" || d < done {
			t.Errorf("progress %s %d after %d", name, d, done)
		}
		done, total = d, n
	}
	f, err := s.Locate(t.Context(), Green, Month{2021, 1})
	if err != nil {
		t.Fatal(err)
	}
	size := int64(len(c.files["green_tripdata_2021-01.parquet"]))
	if done != size || total != size || f.Size != size {
		t.Errorf("progress %d of %d, size %d; want %d", done, total, f.Size, size)
	}
	trips, err := ReadTrips(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	checkPlain(t, trips, 3000)
	again, err := s.Locate(t.Context(), Green, Month{2021, 1})
	if err != nil || again != f {
		t.Errorf("located again: %+v, %v; want %+v", again, err, f)
	}
	if n := c.gets("green"); n != 1 {
		t.Errorf("%d requests: %v", n, c.requests)
	}
	entries, err := os.ReadDir(s.Cache)
	if err != nil || len(entries) != 1 {
		t.Errorf("the cache holds %v, %v; want the month alone", entries, err)
	}
}

func TestLocateLooksAroundFirst(t *testing.T) {
	c, s := newCloud(t, "2021-01", "2021-02")
	first, second := t.TempDir(), t.TempDir()
	s.Dirs = []string{filepath.Join(first, "none"), first, second}
	name := FileName(Green, Month{2021, 1})
	for i, dir := range s.Dirs[1:] {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(fmt.Sprint("copy ", i)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f, err := s.Locate(t.Context(), Green, Month{2021, 1})
	if err != nil || f.Path != filepath.Join(first, name) {
		t.Errorf("located %+v, %v; want the one in %s", f, err, first)
	}
	if _, err := s.Locate(t.Context(), Green, Month{2021, 2}); err != nil {
		t.Fatal(err)
	}
	files, err := s.List(t.Context(), Green)
	if err != nil || len(files) != 2 || files[0].Path != f.Path || files[1].Month != (Month{2021, 2}) || files[1].SHA256 != "" {
		t.Errorf("listed %+v, %v", files, err)
	}
	if yellow, err := s.List(t.Context(), Yellow); err != nil || len(yellow) != 0 {
		t.Errorf("listed yellow %+v, %v", yellow, err)
	}
	if c.gets(name) != 0 {
		t.Errorf("asked the server for what is here: %v", c.requests)
	}
}

func TestLocateWithoutNetworkOrCache(t *testing.T) {
	offline := &Source{Cache: t.TempDir(), Offline: true}
	_, err := offline.Locate(t.Context(), Green, Month{2021, 1})
	var network *NetworkError
	if !errors.As(err, &network) {
		t.Errorf("offline: %v", err)
	}
	if _, err := (&Source{}).Locate(t.Context(), Green, Month{2021, 1}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no cache: %v", err)
	}
	if _, err := offline.Locate(t.Context(), "fhv", Month{2021, 1}); err == nil {
		t.Error("fhv was located")
	}
	if _, err := offline.Locate(t.Context(), Green, Month{}); err == nil {
		t.Error("no month was located")
	}
}

func TestFetchTellsUnpublishedFromThrottled(t *testing.T) {
	for _, test := range []struct {
		name      string
		there     []string
		month     string
		absent    int
		published bool // the month is reported as not published
		newest    string
		words     []string
	}{
		{"403 beside known months", []string{"2021-01", "2026-08"}, "2026-10", 403, true, "2026-08", []string{"green 2026-10 is not published yet", "2026-08 is the newest", "2026-12-15"}},
		{"403 beside the month before", []string{"2019-02"}, "2019-03", 403, true, "2019-02", nil},
		{"403 for a known month", []string{"2023-01"}, "2021-01", 403, true, "", nil},
		{"403 before there were green cabs", []string{"2021-01"}, "2013-07", 403, true, "", []string{"begin with 2013-08"}},
		{"403 for everything", nil, "2026-10", 403, false, "", []string{"refuses us", "4 attempts", "--data"}},
		{"404", nil, "2026-10", 404, true, "", []string{"answered 404"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, s := newCloud(t, test.there...)
			c.absent = test.absent
			_, err := s.Locate(t.Context(), Green, month(t, test.month))
			var missing *NotPublishedError
			var network *NetworkError
			switch {
			case test.published && (!errors.As(err, &missing) || missing.Newest.String() != test.newest || missing.Month.String() != test.month):
				t.Fatalf("error %v; want a *NotPublishedError of %s, newest %q", err, test.month, test.newest)
			case !test.published && (!errors.As(err, &network) || !network.Throttled):
				t.Fatalf("error %v; want a *NetworkError of throttling", err)
			}
			for _, word := range append(test.words, FileName(Green, month(t, test.month))) {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q lacks %q", err, word)
				}
			}
			if entries, err := os.ReadDir(s.Cache); err != nil || len(entries) != 0 {
				t.Errorf("the cache holds %v, %v", entries, err)
			}
		})
	}
}

func TestFetchTriesAgain(t *testing.T) {
	for _, test := range []struct {
		name     string
		status   int
		failures int
		ok       bool
		gets     int
	}{
		{"500 twice", 500, 2, true, 3},
		{"429 once", 429, 1, true, 2},
		{"503 for ever", 503, 100, false, 4},
		{"401", 401, 100, false, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, s := newCloud(t, "2021-01")
			left := test.failures
			c.meddle = func(w http.ResponseWriter, r *http.Request) bool {
				left--
				if left >= 0 {
					w.WriteHeader(test.status)
				}
				return left >= 0
			}
			_, err := s.Locate(t.Context(), Green, Month{2021, 1})
			var network *NetworkError
			if test.ok != (err == nil) || (err != nil && (!errors.As(err, &network) || network.Attempts != test.gets)) {
				t.Errorf("error %v", err)
			}
			if got := c.gets("green"); got != test.gets {
				t.Errorf("%d requests; want %d", got, test.gets)
			}
		})
	}
}

func TestFetchOfNoServer(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	s := &Source{Cache: t.TempDir(), BaseURL: server.URL, Attempts: 2, Backoff: time.Millisecond}
	_, err := s.Locate(t.Context(), Green, Month{2021, 1})
	var network *NetworkError
	if !errors.As(err, &network) || network.Attempts != 2 || network.Throttled {
		t.Errorf("error %v", err)
	}
}

// cutAfter sends the right header and only the first n bytes.
func cutAfter(w http.ResponseWriter, content []byte, n int) {
	w.Header().Set("ETag", fmt.Sprintf(`"%d"`, len(content)))
	w.Header().Set("Content-Length", fmt.Sprint(len(content)))
	w.Write(content[:n])
	w.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

func TestFetchResumes(t *testing.T) {
	const name = "green_tripdata_2021-01.parquet"
	c, s := newCloud(t, "2021-01")
	s.Attempts = 1
	content := c.files[name]
	half := len(content) / 2
	c.meddle = func(w http.ResponseWriter, r *http.Request) bool {
		cutAfter(w, content, half)
		return true
	}
	_, err := s.Locate(t.Context(), Green, Month{2021, 1})
	var network *NetworkError
	if !errors.As(err, &network) {
		t.Fatalf("a connection that broke: %v", err)
	}
	part, err := os.ReadFile(filepath.Join(s.Cache, name+".part"))
	if err != nil || !bytes.Equal(part, content[:half]) {
		t.Fatalf("the part has %d bytes, %v; want %d", len(part), err, half)
	}
	c.meddle = nil
	f, err := s.Locate(t.Context(), Green, Month{2021, 1})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(f.Path); err != nil || !bytes.Equal(got, content) {
		t.Errorf("the month differs from the server's: %d bytes, %v", len(got), err)
	}
	if want := fmt.Sprintf("GET %s bytes=%d-", name, half); !slices.Contains(c.requests, want) {
		t.Errorf("requests %v lack %q", c.requests, want)
	}
}

func TestFetchBeginsAnewWhenTheFileChanged(t *testing.T) {
	const name = "green_tripdata_2021-01.parquet"
	c, s := newCloud(t, "2021-01")
	content := c.files[name]
	cut := false
	c.meddle = func(w http.ResponseWriter, r *http.Request) bool {
		if cut {
			return false
		}
		cut = true
		c.mu.Lock()
		c.files[name] = plainSheet(3500, parquet.Microsecond, 1e6).bytes(t)
		c.mu.Unlock()
		cutAfter(w, content, len(content)/2)
		return true
	}
	f, err := s.Locate(t.Context(), Green, Month{2021, 1})
	if err != nil {
		t.Fatal(err)
	}
	trips, err := ReadTrips(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	checkPlain(t, trips, 3500)
}

func TestFetchOfWhatIsNoMonth(t *testing.T) {
	const name = "green_tripdata_2021-01.parquet"
	c, s := newCloud(t, "2021-01")
	whole := c.files[name]
	c.files[name] = whole[:len(whole)-100] // whole for the server: it does not know better
	_, err := s.Locate(t.Context(), Green, Month{2021, 1})
	var corrupt *CorruptError
	if !errors.As(err, &corrupt) || corrupt.Size != int64(len(whole)-100) || !strings.HasSuffix(corrupt.Path, name+".part") {
		t.Fatalf("error %v; want a *CorruptError", err)
	}
	if c.gets(name) != 2 {
		t.Errorf("fetched %d times; want 2", c.gets(name))
	}
	c.files[name] = whole
	if _, err := s.Locate(t.Context(), Green, Month{2021, 1}); err != nil {
		t.Errorf("once the server had the whole month: %v", err)
	}
}

func TestFetchHealsACorruptDownload(t *testing.T) {
	c, s := newCloud(t, "2021-01")
	first := true
	c.meddle = func(w http.ResponseWriter, r *http.Request) bool {
		if first {
			io.WriteString(w, "<html>please log in to this hotel's network</html>")
		}
		defer func() { first = false }()
		return first
	}
	if _, err := s.Locate(t.Context(), Green, Month{2021, 1}); err != nil {
		t.Error(err)
	}
}

func TestFetchAtOnce(t *testing.T) {
	c, s := newCloud(t, "2021-01", "2021-02")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			m := Month{2021, time.Month(1 + i%2)}
			other := *s // as another process would
			f, err := other.Locate(t.Context(), Green, m)
			if err == nil {
				_, err = ReadTrips(t.Context(), f)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := c.gets("green"); got != 2 {
		t.Errorf("%d fetches for two months", got)
	}
}

func TestFetchIsCancelled(t *testing.T) {
	c, s := newCloud(t, "2021-01")
	ctx, cancel := context.WithCancel(t.Context())
	s.Backoff = time.Hour
	c.meddle = func(w http.ResponseWriter, r *http.Request) bool {
		w.WriteHeader(500)
		cancel()
		return true
	}
	if _, err := s.Locate(ctx, Green, Month{2021, 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestLatest(t *testing.T) {
	for _, test := range []struct {
		name   string
		there  []string // on the server
		here   []string // in a directory
		absent int
		asOf   string
		want   string
	}{
		{"the server's newest", []string{"2026-06", "2026-07", "2026-08"}, nil, 403, "", "2026-08"},
		{"as of earlier", []string{"2026-06", "2026-07", "2026-08"}, nil, 403, "2026-07", "2026-07"},
		{"a gap", []string{"2026-04", "2026-05", "2026-07"}, nil, 403, "", "2026-05"},
		{"half here", []string{"2026-08"}, []string{"2026-07"}, 403, "", "2026-08"},
		{"here, long ago", nil, []string{"2021-01", "2021-02"}, 403, "", "2021-02"},
		{"here, the server troubled", nil, []string{"2021-01", "2021-02"}, 500, "", "2021-02"},
		{"here, in the future of asOf", nil, []string{"2021-01", "2021-02", "2023-01", "2023-02"}, 404, "2022-05", "2021-02"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, s := newCloud(t, test.there...)
			c.absent = test.absent
			dir := t.TempDir()
			for _, m := range test.here {
				if err := os.WriteFile(filepath.Join(dir, FileName(Green, month(t, m))), []byte("x"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			s.Dirs = []string{dir}
			var asOf Month
			if test.asOf != "" {
				asOf = month(t, test.asOf)
			}
			got, err := s.Latest(t.Context(), Green, asOf)
			if err != nil || got.String() != test.want {
				t.Errorf("Latest = %s, %v; want %s", got, err, test.want)
			}
			if len(c.requests) > latestProbes+2 {
				t.Errorf("%d requests", len(c.requests))
			}
		})
	}
}

func TestLatestOfNothing(t *testing.T) {
	for _, test := range []struct {
		name    string
		there   []string
		absent  int
		network bool
	}{
		{"months too old", []string{"2021-01", "2021-02"}, 403, false},
		{"throttled", nil, 403, true},
		{"troubled", nil, 500, true},
	} {
		c, s := newCloud(t, test.there...)
		c.absent = test.absent
		_, err := s.Latest(t.Context(), Green, Month{})
		var missing *NotPublishedError
		var network *NetworkError
		if errors.As(err, &network) != test.network || errors.As(err, &missing) == test.network {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}
