package data

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	defaultAttempts = 4
	defaultBackoff  = time.Second
	longestPause    = 30 * time.Second
	stallTimeout    = 30 * time.Second // without a byte
)

var errStalled = fmt.Errorf("no byte for %v", stallTimeout)

// fetch brings a month into the cache. What has arrived stays in a .part file
// beside its place, with the server's validator, so that a later fetch goes on
// where this one stopped; the file appears under its name when it is whole, on
// the disk, and hashed. Processes that fetch the same month wait for each other.
func (s *Source) fetch(ctx context.Context, taxi Taxi, m Month) (_ File, err error) {
	if err := os.MkdirAll(s.Cache, 0o755); err != nil {
		return File{}, err
	}
	name := FileName(taxi, m)
	path := filepath.Join(s.Cache, name)
	part, err := openPart(ctx, path)
	if err != nil {
		return File{}, err
	}
	defer func() { err = errors.Join(err, part.close()) }()
	if f, err := OpenFile(path); err == nil { // another process was faster
		return f, nil
	}
	if err := s.fill(ctx, part, taxi, m); err != nil {
		return File{}, err
	}
	f, err := OpenFile(part.file.Name())
	if err != nil {
		return File{}, err
	}
	if err := part.publish(path); err != nil {
		return File{}, err
	}
	f.Taxi, f.Month, f.Path = taxi, m, path
	return f, nil
}

// fill downloads until the part is whole, trying again where that can help.
func (s *Source) fill(ctx context.Context, p *part, taxi Taxi, m Month) error {
	url := s.url(taxi, m)
	attempts, pause := s.Attempts, s.Backoff
	if attempts == 0 {
		attempts = defaultAttempts
	}
	if pause == 0 {
		pause = defaultBackoff
	}
	again := true // a corrupt file is fetched once more
	for attempt := 1; ; attempt++ {
		err := s.download(ctx, p, url, FileName(taxi, m))
		if err == nil {
			err = p.check()
			if err == nil || !again {
				return err
			}
			again = false
			if err := p.reset(""); err != nil {
				return err
			}
			continue
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var disk *diskError
		if errors.As(err, &disk) {
			return disk.err
		}
		var status *statusError
		throttled := false
		if errors.As(err, &status) && status.absent() {
			if missing := s.whyAbsent(ctx, taxi, m, status.code); missing != nil {
				return missing
			}
			throttled = true
		}
		final := status != nil && !throttled && !status.temporary()
		if attempt >= attempts || final {
			return &NetworkError{URL: url, Attempts: attempt, Throttled: throttled, Err: err}
		}
		wait := pause
		if status != nil {
			wait = max(wait, status.retryAfter)
		}
		if err := sleep(ctx, min(wait, longestPause)); err != nil {
			return err
		}
		pause *= 2
	}
}

// download makes one attempt at the rest of the file.
func (s *Source) download(ctx context.Context, p *part, url, name string) error {
	ctx, alive, stop := withStallTimeout(ctx)
	defer stop()
	have, validator, err := p.resume()
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	request.Header.Set("Accept-Encoding", "identity") // the bytes as they are: ranges and sizes must mean them
	if have > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
		request.Header.Set("If-Range", validator)
	}
	response, err := s.client().Do(request)
	if err != nil {
		return orCause(ctx, err)
	}
	defer response.Body.Close()

	total := int64(-1)
	switch response.StatusCode {
	case http.StatusPartialContent:
		var from int64
		from, total = parseContentRange(response.Header.Get("Content-Range"))
		if from != have {
			return errors.Join(p.reset(""), errors.New("the server sent another range than asked for"))
		}
	case http.StatusOK:
		have, total = 0, response.ContentLength
		if err := p.reset(strongValidator(response.Header)); err != nil {
			return err
		}
	case http.StatusRequestedRangeNotSatisfiable:
		return errors.Join(p.reset(""), &statusError{code: response.StatusCode})
	default:
		return &statusError{code: response.StatusCode, retryAfter: parseRetryAfter(response.Header)}
	}
	done, err := p.receive(response.Body, have, func(done int64) {
		alive()
		if s.Progress != nil {
			s.Progress(name, done, total)
		}
	})
	if err != nil {
		return orCause(ctx, err)
	}
	if total >= 0 && done != total {
		return fmt.Errorf("%d of %d bytes: %w", done, total, io.ErrUnexpectedEOF)
	}
	return nil
}

// withStallTimeout returns a context that ends when alive has not been called
// for stallTimeout.
func withStallTimeout(parent context.Context) (_ context.Context, alive, stop func()) {
	ctx, cancel := context.WithCancelCause(parent)
	timer := time.AfterFunc(stallTimeout, func() { cancel(errStalled) })
	return ctx, func() { timer.Reset(stallTimeout) }, func() { timer.Stop(); cancel(nil) }
}

// orCause prefers the reason ctx ended for to the error it led to.
func orCause(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// statusError is an answer that is no file.
type statusError struct {
	code       int
	retryAfter time.Duration
}

func (e *statusError) Error() string {
	return fmt.Sprintf("the server answered %d %s", e.code, http.StatusText(e.code))
}

// absent reports whether the answer may mean that there is no such file.
func (e *statusError) absent() bool {
	return e.code == http.StatusForbidden || e.code == http.StatusNotFound || e.code == http.StatusGone
}

// temporary reports whether the same request may be answered better later.
func (e *statusError) temporary() bool {
	switch e.code {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusRequestedRangeNotSatisfiable:
		return true
	}
	return e.code >= 500
}

func parseRetryAfter(h http.Header) time.Duration {
	seconds, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || seconds < 0 {
		return 0 // absent, or a date: our own pause will do
	}
	return time.Duration(seconds) * time.Second
}

// parseContentRange reads "bytes 100-199/1234" as 100 and 1234; -1 stands for
// what cannot be read.
func parseContentRange(s string) (from, total int64) {
	span, size, _ := strings.Cut(strings.TrimPrefix(s, "bytes "), "/")
	first, _, _ := strings.Cut(span, "-")
	return parseCount(first), parseCount(size)
}

func parseCount(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return -1
	}
	return n
}

// strongValidator returns what If-Range may name, and "" when the server gave
// nothing that promises equal bytes.
func strongValidator(h http.Header) string {
	if tag := h.Get("ETag"); tag != "" && !strings.HasPrefix(tag, "W/") {
		return tag
	}
	return h.Get("Last-Modified")
}
