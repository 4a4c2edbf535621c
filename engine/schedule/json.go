package schedule

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// scheduleJSON is a Schedule as JSON, in the words of taximeter.yaml.
type scheduleJSON struct {
	Slug       string          `json:"slug" doc:"identity within the deployment; left out: its place in the list"`
	Active     *bool           `json:"active,omitempty"`
	Interval   string          `json:"interval,omitempty" doc:"such as 2m, 12h or 7d, or seconds"`
	Anchor     time.Time       `json:"anchor,omitzero" doc:"an instant of the interval"`
	Cron       string          `json:"cron,omitempty" doc:"five fields, or @monthly and its like"`
	DayOr      *bool           `json:"day_or,omitempty" doc:"of cron: either day will do; else both must fit"`
	RRule      string          `json:"rrule,omitempty" doc:"RFC 5545"`
	TimeZone   string          `json:"timezone,omitempty" doc:"such as America/New_York; left out: UTC"`
	Parameters json.RawMessage `json:"parameters,omitempty" doc:"an object laid over the deployment's parameters"`
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

// JSONSchema implements engine.Described.
func (Schedule) JSONSchema() *engine.Schema { return schemaOf[scheduleJSON]() }

// JSONSchema implements engine.Described.
func (Deployment) JSONSchema() *engine.Schema { return schemaOf[deploymentJSON]() }

func schemaOf[T any]() *engine.Schema {
	s, err := engine.SchemaOf[T]()
	if err != nil {
		panic(err) // of a type that is written here
	}
	return s
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
	Flow        string          `json:"flow" required:"true"`
	Name        string          `json:"name" required:"true" doc:"unique among the deployments of the flow"`
	Description string          `json:"description,omitempty"`
	Parameters  json.RawMessage `json:"parameters,omitempty" doc:"an object; what it leaves out is for the flow's defaults"`
	Tags        []string        `json:"tags,omitempty"`
	Schedules   []Schedule      `json:"schedules,omitempty"`
	Paused      bool            `json:"paused" doc:"its schedules make no runs"`
	Pool        string          `json:"work_pool"`
	Queue       string          `json:"work_queue"`
	Limit       int             `json:"concurrency_limit,omitempty" doc:"runs at once; 0: any number"`
	Collision   Collision       `json:"collision,omitempty" doc:"enqueue or cancel-new"`
	CatchUp     CatchUp         `json:"catch_up" doc:"all, latest, or skip-older-than and a time"`
	OnCrash     OnCrash         `json:"on_crash,omitempty" doc:"resume or fail"`
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
