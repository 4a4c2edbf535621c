package data

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// longPublished are months every taxi's files go back to for good. A server
// that refuses these is refusing us, not the month.
var longPublished = []Month{{2021, 1}, {2023, 1}}

const (
	newestProbes = 6  // months looked back for the newest one, for a message
	latestProbes = 24 // months Latest asks the server for
)

// whyAbsent tells what a 403, 404 or 410 for a month means: a
// *NotPublishedError, or nil when the server refuses everything for now.
// CloudFront answers 403 both for a month that is not there and for a client it
// throttles, so a 403 counts only beside a month that can be had.
func (s *Source) whyAbsent(ctx context.Context, taxi Taxi, m Month, status int) error {
	missing := &NotPublishedError{Taxi: taxi, Month: m, URL: s.url(taxi, m), Status: status}
	answers := status != http.StatusForbidden
	for _, known := range longPublished {
		if answers {
			break
		}
		answers = known != m && s.isPublished(ctx, taxi, known)
	}
	if m.Compare(taxi.first()) >= 0 {
		missing.Newest = s.newest(ctx, taxi, m)
	}
	if answers || !missing.Newest.IsZero() {
		return missing
	}
	return nil
}

// newest looks for the newest published month among the last ones and those
// just before m. It returns the zero Month when it finds none.
func (s *Source) newest(ctx context.Context, taxi Taxi, m Month) Month {
	for i := range newestProbes {
		if candidate := s.now().Add(-i); candidate != m && s.isPublished(ctx, taxi, candidate) {
			return candidate
		}
	}
	for i := range newestProbes / 2 {
		if candidate := m.Add(-1 - i); s.isPublished(ctx, taxi, candidate) {
			return candidate
		}
	}
	return Month{}
}

func (s *Source) isPublished(ctx context.Context, taxi Taxi, m Month) bool {
	return s.probe(ctx, taxi, m) == nil
}

// probe asks the server for a month's header: nil when it is there, a
// *statusError when the server says otherwise.
func (s *Source) probe(ctx context.Context, taxi Taxi, m Month) error {
	ctx, _, stop := withStallTimeout(ctx)
	defer stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, s.url(taxi, m), nil)
	if err != nil {
		return err
	}
	response, err := s.client().Do(request)
	if err != nil {
		return orCause(ctx, err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return &statusError{code: response.StatusCode}
	}
	return nil
}

// Latest returns the newest month m, no later than asOf, such that m and the
// month before it can both be had: they are here, or the server has them. The
// zero asOf is the present month. The server is asked about two years back at
// most; where it cannot be reached the months that are here decide. The error is
// a *NetworkError when it could not be reached and nothing here will do, else a
// *NotPublishedError.
func (s *Source) Latest(ctx context.Context, taxi Taxi, asOf Month) (Month, error) {
	if asOf.IsZero() {
		asOf = s.now()
	}
	m, err := s.latest(ctx, taxi, asOf)
	if err != nil {
		return Month{}, fmt.Errorf("find the newest two months of %s up to %s: %w", taxi, asOf, err)
	}
	return m, nil
}

func (s *Source) latest(ctx context.Context, taxi Taxi, asOf Month) (Month, error) {
	files, err := s.List(ctx, taxi)
	if err != nil {
		return Month{}, err
	}
	here := map[Month]bool{}
	oldest := asOf
	for _, f := range files {
		here[f.Month] = true
		if f.Month.Compare(oldest) < 0 {
			oldest = f.Month
		}
	}
	var trouble error // why the server is asked no more
	if s.Offline {
		trouble = errors.New("working offline")
	} else if s.Cache == "" {
		trouble = errors.New("no cache to fetch into")
	}
	probes, found := 0, false
	have := func(m Month) bool {
		if here[m] {
			return true
		}
		if trouble != nil || probes >= latestProbes {
			return false
		}
		probes++
		err := s.probe(ctx, taxi, m)
		var status *statusError
		if err != nil && !(errors.As(err, &status) && status.absent()) {
			trouble = err
		}
		found = found || err == nil
		return err == nil
	}
	later := have(asOf)
	for m := asOf; m.Compare(oldest) > 0 || (trouble == nil && probes < latestProbes); m = m.Add(-1) {
		earlier := have(m.Add(-1))
		if err := ctx.Err(); err != nil {
			return Month{}, err
		}
		if later && earlier {
			return m, nil
		}
		later = earlier
	}
	url := s.url(taxi, asOf)
	if trouble != nil {
		return Month{}, &NetworkError{URL: url, Attempts: 1, Err: trouble}
	}
	if !found {
		if err := s.probe(ctx, taxi, longPublished[0]); err != nil {
			return Month{}, &NetworkError{URL: url, Attempts: probes + 1, Throttled: true, Err: err}
		}
	}
	return Month{}, &NotPublishedError{Taxi: taxi, Month: asOf, URL: url, Status: http.StatusNotFound}
}
