package schedule

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Deployment is a flow with what it is to be run with, when and where. It may be
// written in code, in taximeter.yaml or by the command; all of them end here.
type Deployment struct {
	Flow        string // name of the flow
	Name        string // of the deployment, unique among those of its flow
	Description string
	Parameters  json.RawMessage // object; what it leaves out is for the flow's defaults
	Tags        []string        // of every run
	Schedules   []Schedule
	Paused      bool // no schedule makes runs; others may

	Pool  string // work pool whose workers run it; empty: DefaultPool
	Queue string // work queue in that pool; empty: DefaultQueue

	Limit     int       // runs at once; 0: any number
	Collision Collision // what becomes of a run that is due while there are Limit others
	CatchUp   CatchUp
	OnCrash   OnCrash
}

// Names of the pool and the queue that there are without anyone making them.
const (
	DefaultPool  = "default"
	DefaultQueue = "default"
)

// Ref names the deployment: "train/monthly".
func (d Deployment) Ref() string { return d.Flow + "/" + d.Name }

// Collision is what becomes of a run that is due while its deployment has as many
// running as it may.
type Collision string

// The collisions: it waits for its turn, which is the default, or it is cancelled.
const (
	Enqueue   Collision = "enqueue"
	CancelNew Collision = "cancel-new"
)

// OnCrash is what becomes of a run whose process ended without ending the run.
type OnCrash string

// The policies. Resume, the default, goes on with the run, up to MaxCrashes times.
const (
	Resume OnCrash = "resume"
	Fail   OnCrash = "fail"
)

// MaxCrashes is how many crashes of one run are followed by a resume.
const MaxCrashes = 3

var nameForm = regexp.MustCompile(`^[\pL\pN]([\pL\pN ._-]*[\pL\pN])?$`)

// Normalize fills in what may be left out and checks the rest. now is the anchor
// of intervals that have none.
func (d Deployment) Normalize(now time.Time) (Deployment, error) {
	d.Pool, d.Queue = orElse(d.Pool, DefaultPool), orElse(d.Queue, DefaultQueue)
	d.Collision, d.OnCrash = orElse(d.Collision, Enqueue), orElse(d.OnCrash, Resume)
	if len(d.Parameters) == 0 {
		d.Parameters = json.RawMessage("{}")
	}
	d.Tags = slices.Compact(slices.Sorted(slices.Values(d.Tags)))
	d.Schedules = slices.Clone(d.Schedules)
	for i := range d.Schedules {
		s := &d.Schedules[i]
		if s.Slug == "" {
			s.Slug = fmt.Sprintf("schedule-%d", i+1)
		}
		if s.Interval != 0 && s.Anchor.IsZero() {
			s.Anchor = now.UTC().Truncate(time.Second)
		}
	}
	return d, d.validate()
}

func (d Deployment) validate() error {
	switch {
	case d.Flow == "":
		return errors.New("a deployment wants a flow")
	case !nameForm.MatchString(d.Name):
		return fmt.Errorf("deployment name %q: want letters, digits, dashes and spaces", d.Name)
	case !nameForm.MatchString(d.Pool):
		return fmt.Errorf("work pool %q: want letters, digits, dashes and spaces", d.Pool)
	case !nameForm.MatchString(d.Queue):
		return fmt.Errorf("work queue %q: want letters, digits, dashes and spaces", d.Queue)
	case d.Limit < 0:
		return fmt.Errorf("concurrency limit %d: want at least 1, or none", d.Limit)
	case d.Collision != Enqueue && d.Collision != CancelNew:
		return fmt.Errorf("collision %q: want %s or %s", d.Collision, Enqueue, CancelNew)
	case d.OnCrash != Resume && d.OnCrash != Fail:
		return fmt.Errorf("on_crash %q: want %s or %s", d.OnCrash, Resume, Fail)
	}
	if err := validParameters(d.Parameters); err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, s := range d.Schedules {
		if seen[s.Slug] {
			return fmt.Errorf("schedule %s: two schedules have this slug", s.Slug)
		}
		seen[s.Slug] = true
		if err := s.Validate(); err != nil {
			return fmt.Errorf("schedule %s: %w", s.Slug, err)
		}
	}
	return nil
}

// Keep returns d, normalized, as the next version of old: an interval that is
// what it was keeps the anchor it was given.
func (d Deployment) Keep(old Deployment, now time.Time) (Deployment, error) {
	given := d.Schedules
	d, err := d.Normalize(now)
	for i := range d.Schedules {
		s := &d.Schedules[i]
		before := slices.IndexFunc(old.Schedules, func(o Schedule) bool { return o.Slug == s.Slug && o.Interval == s.Interval })
		if given[i].Anchor.IsZero() && s.Interval != 0 && before >= 0 {
			s.Anchor = old.Schedules[before].Anchor
		}
	}
	return d, err
}

// RunParameters are the parameters of a run by a schedule, or by hand where s is
// nil: those of the deployment, with more laid over them.
func (d Deployment) RunParameters(s *Schedule, more json.RawMessage) (json.RawMessage, error) {
	layers := []json.RawMessage{d.Parameters}
	if s != nil {
		layers = append(layers, s.Parameters)
	}
	merged := map[string]json.RawMessage{}
	for _, layer := range append(layers, more) {
		if err := validParameters(layer); err != nil {
			return nil, err
		}
		if len(layer) == 0 {
			continue
		}
		var names map[string]json.RawMessage
		if err := json.Unmarshal(layer, &names); err != nil {
			return nil, err
		}
		maps.Copy(merged, names)
	}
	return encode(merged)
}

func orElse[T ~string](v, def T) T {
	if v == "" {
		return def
	}
	return v
}

// CatchUp is what becomes of runs that nobody began in time, be it that no
// worker or that no scheduler was there. The zero CatchUp runs them all, oldest
// first.
type CatchUp struct {
	Latest    bool          // only the newest of those that are due
	OlderThan time.Duration // only those due no longer ago; 0: any
}

// String writes what ParseCatchUp reads.
func (c CatchUp) String() string {
	switch {
	case c.Latest:
		return "latest"
	case c.OlderThan > 0:
		return "skip-older-than " + formatInterval(c.OlderThan)
	}
	return "all"
}

// ParseCatchUp reads "all", "latest" or "skip-older-than 6h".
func ParseCatchUp(text string) (CatchUp, error) {
	switch age, ok := strings.CutPrefix(text, "skip-older-than "); {
	case text == "all", text == "":
		return CatchUp{}, nil
	case text == "latest":
		return CatchUp{Latest: true}, nil
	case ok:
		d, err := ParseInterval(age)
		if err == nil && d <= 0 {
			err = fmt.Errorf("catch_up %q: want a time above 0", text)
		}
		return CatchUp{OlderThan: d}, err
	}
	return CatchUp{}, fmt.Errorf("catch_up %q: want all, latest, or skip-older-than and a time, such as skip-older-than 6h", text)
}

// MarshalText writes what ParseCatchUp reads.
func (c CatchUp) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads as ParseCatchUp does.
func (c *CatchUp) UnmarshalText(text []byte) (err error) {
	*c, err = ParseCatchUp(string(text))
	return err
}

// Skips reports whether a run that was due at instant is left out at now, where
// newest is the newest instant of the same schedule that is not after now.
func (c CatchUp) Skips(instant, newest, now time.Time) bool {
	return c.Latest && instant.Before(newest) || c.OlderThan > 0 && now.Sub(instant) > c.OlderThan
}

// Record is a deployment as it is kept.
type Record struct {
	ID      string     `json:"id"`
	Spec    Deployment `json:"spec"`
	Created time.Time  `json:"created"`
	Updated time.Time  `json:"updated"` // when it last changed
}
