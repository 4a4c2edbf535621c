package schedule

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// scheduleJSON is a Schedule as JSON, in the words of taximeter.yaml.
type scheduleJSON struct {
	Slug       string          `json:"slug"`
	Active     *bool           `json:"active,omitempty"`
	Interval   string          `json:"interval,omitempty"` // 2m, or seconds
	Anchor     time.Time       `json:"anchor,omitzero"`
	Cron       string          `json:"cron,omitempty"`
	DayOr      *bool           `json:"day_or,omitempty"`
	RRule      string          `json:"rrule,omitempty"`
	TimeZone   string          `json:"timezone,omitempty"`
	Parameters json.RawMessage `json:"parameters,omitempty"`
}

// MarshalJSON writes the schedule in the words of taximeter.yaml.
func (s Schedule) MarshalJSON() ([]byte, error) {
	active := !s.Inactive
	j := scheduleJSON{Slug: s.Slug, Active: &active, Anchor: s.Anchor, Cron: s.Cron, RRule: s.RRule, TimeZone: s.TimeZone, Parameters: s.Parameters}
	if s.Interval != 0 {
		j.Interval = formatInterval(s.Interval)
	}
	if s.DayAnd {
		j.DayOr = new(bool)
	}
	return encode(j)
}

// UnmarshalJSON reads what MarshalJSON writes. It refuses names it does not know.
func (s *Schedule) UnmarshalJSON(data []byte) error {
	var j scheduleJSON
	if err := strict(data, &j); err != nil {
		return fmt.Errorf("schedule: %w", err)
	}
	*s = Schedule{
		Slug: j.Slug, Inactive: j.Active != nil && !*j.Active, Anchor: j.Anchor, Cron: j.Cron,
		DayAnd: j.DayOr != nil && !*j.DayOr, RRule: j.RRule, TimeZone: j.TimeZone, Parameters: j.Parameters,
	}
	if j.Interval == "" {
		return nil
	}
	var err error
	s.Interval, err = ParseInterval(j.Interval)
	return err
}

// deploymentJSON is a Deployment as JSON, in the words of taximeter.yaml.
type deploymentJSON struct {
	Flow        string          `json:"flow"`
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty"`
	Tags        []string        `json:"tags,omitempty"`
	Schedules   []Schedule      `json:"schedules,omitempty"`
	Paused      bool            `json:"paused"`
	Pool        string          `json:"work_pool"`
	Queue       string          `json:"work_queue"`
	Limit       int             `json:"concurrency_limit,omitempty"`
	Collision   Collision       `json:"collision,omitempty"`
	CatchUp     CatchUp         `json:"catch_up"`
	OnCrash     OnCrash         `json:"on_crash,omitempty"`
}

// MarshalJSON writes the deployment in the words of taximeter.yaml.
func (d Deployment) MarshalJSON() ([]byte, error) { return encode(deploymentJSON(d)) }

// UnmarshalJSON reads what MarshalJSON writes. It refuses names it does not know.
func (d *Deployment) UnmarshalJSON(data []byte) error {
	var j deploymentJSON
	if err := strict(data, &j); err != nil {
		return fmt.Errorf("deployment: %w", err)
	}
	*d = Deployment(j)
	return nil
}

// encode encodes v without HTML escapes: "<" is for people.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// strict decodes one JSON value into v and refuses names that v does not have.
func strict(data []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	return dec.Decode(v)
}
