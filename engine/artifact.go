package engine

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Artifact is something that a run shows to people: a report, a table, a link, a
// picture, how far it has come. Those with the same key, of whatever runs, are the
// versions of one.
type Artifact struct {
	ID          string          `json:"id"`
	Key         string          `json:"key,omitempty"`     // lower-case letters, digits and dashes; empty: of its run alone
	Version     int             `json:"version,omitempty"` // of the key, from 1; 0 without a key. The history gives it.
	Type        ArtifactType    `json:"type"`
	Description string          `json:"description,omitempty"`
	Data        json.RawMessage `json:"data"` // as the type says
	FlowRunID   string          `json:"flow_run_id"`
	TaskKey     string          `json:"task_key,omitempty"` // of the call that published it; empty: the flow's body
	Created     time.Time       `json:"created"`
	Updated     time.Time       `json:"updated"`
}

// ArtifactType says what the data of an artifact is.
type ArtifactType string

// Types of artifacts.
const (
	ArtifactMarkdown ArtifactType = "markdown" // a string
	ArtifactTable    ArtifactType = "table"    // a list of objects, a row each, with the same fields
	ArtifactLink     ArtifactType = "link"     // a LinkData
	ArtifactImage    ArtifactType = "image"    // a string, the picture's address
	ArtifactProgress ArtifactType = "progress" // a number from 0 to 100
)

// LinkData is what an artifact of type link has.
type LinkData struct {
	URL  string `json:"url"`
	Text string `json:"text,omitempty"` // zero: the address
}

// ArtifactQuery says which artifacts are wanted, newest first. The zero value of a
// field wants all.
type ArtifactQuery struct {
	Key       string
	Type      ArtifactType
	FlowRunID string
	TaskKey   string
	Latest    bool // of each key the newest version only; those without a key too
	Limit     int  // zero: any number
}

// Markdown is an artifact of a text in Markdown.
func Markdown(key, text string) Artifact { return newArtifact(ArtifactMarkdown, key, text) }

// Table is an artifact of rows: a slice of structs or maps that JSON can hold.
func Table(key string, rows any) Artifact { return newArtifact(ArtifactTable, key, rows) }

// Link is an artifact of an address.
func Link(key, url, text string) Artifact {
	return newArtifact(ArtifactLink, key, LinkData{URL: url, Text: text})
}

// Image is an artifact of a picture's address, which may be a data: address.
func Image(key, url string) Artifact { return newArtifact(ArtifactImage, key, url) }

// Percent is an artifact of how far something has come, from 0 to 100. Publish
// returns it with an ID; publishing that again, with other Data, moves it on.
func Percent(key string, percent float64) Artifact {
	return newArtifact(ArtifactProgress, key, percent)
}

func newArtifact(t ArtifactType, key string, v any) Artifact {
	data, err := json.Marshal(v)
	if err != nil {
		data = nil // Check refuses it
	}
	return Artifact{Type: t, Key: key, Data: data}
}

// Publish shows a to people, from the body of a flow or, with what From finds, of a
// task. What a body publishes when it is retried or resumed replaces what it
// published at the same place before, so that a run makes each version once. An
// artifact that has the ID of an earlier one takes its place.
func Publish(s Scope, a Artifact) (Artifact, error) {
	at := s.scope()
	if at.stale() {
		return a, fmt.Errorf("publish %s: the attempt was abandoned: %w", a, ErrSuperseded)
	}
	a.FlowRunID, a.TaskKey = at.run.born.ID, ""
	if at.by != nil {
		a.TaskKey = at.by.key
	}
	if err := a.Check(); err != nil {
		return a, err
	}
	if a.ID == "" {
		a.ID = at.place(string(a.Type), a.Key)
	}
	a.Updated = at.run.engine.now()
	if a.Created.IsZero() {
		a.Created = a.Updated
	}
	kept, err := at.run.engine.History.PutArtifact(context.WithoutCancel(at.ctx), a)
	if err != nil {
		return a, fmt.Errorf("publish %s: %w", a, err)
	}
	return kept, nil
}

// place is an ID that a body gets again for the same words when it runs again: by
// the run, the call, and how often these words have come.
func (s *scope) place(words ...string) string {
	name := strings.Join(words, " ")
	s.mu.Lock()
	n := s.placed[name]
	if s.placed == nil {
		s.placed = map[string]int{}
	}
	s.placed[name]++
	s.mu.Unlock()
	sum := sha256.Sum256(fmt.Appendf(nil, "artifact %s %s %q %d", s.run.born.ID, s.prefix, name, n))
	return uuid([16]byte(sum[:16]))
}

// String names the artifact for people: markdown rmse-report.
func (a Artifact) String() string { return strings.TrimSpace(string(a.Type) + " " + a.Key) }

var artifactKey = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// Check says what is wrong with an artifact; nil: nothing.
func (a Artifact) Check() error {
	if a.Key != "" && !artifactKey.MatchString(a.Key) {
		return fmt.Errorf("artifact key %q: want lower-case letters, digits and dashes between them", a.Key)
	}
	err := a.checkData()
	if err != nil {
		return fmt.Errorf("artifact %s: %w", a, err)
	}
	return nil
}

func (a Artifact) checkData() error {
	switch a.Type {
	case ArtifactMarkdown, ArtifactImage:
		var text string
		if json.Unmarshal(a.Data, &text) != nil || text == "" {
			return errors.New("want a text")
		}
	case ArtifactTable:
		var rows []map[string]any
		if json.Unmarshal(a.Data, &rows) != nil {
			return errors.New("want a list of rows, each with named fields")
		}
	case ArtifactLink:
		var link LinkData
		if json.Unmarshal(a.Data, &link) != nil || link.URL == "" {
			return errors.New("want an address")
		}
	case ArtifactProgress:
		percent, err := strconv.ParseFloat(string(a.Data), 64)
		if err != nil || percent < 0 || percent > 100 {
			return fmt.Errorf("%s: want a number from 0 to 100", a.Data)
		}
	default:
		return fmt.Errorf("type %q: want markdown, table, link, image or progress", a.Type)
	}
	return nil
}

// Out is where a flow's body prints to: fmt.Fprintln(c.Out(), "hello") is a line of
// the run's log. Nobody else's os.Stdout is taken for that: it is one for the whole
// process, so that what tasks print there at the same time is nobody's in particular.
// Only a worker's process that carries out a single run keeps that too, as the run's.
func (c *Ctx) Out() io.Writer { return printer{c.s.run, ""} }

// Out is where a task's body prints to: each line is one of the call's log.
func (t *TaskCtx) Out() io.Writer { return printer{t.s.run, t.call.key} }

// printer keeps what is printed as lines of a log. A write is one line at least, so
// that nothing of it waits to be finished: fmt's functions and log's make one each.
type printer struct {
	run *flowRun
	key string
}

// Write implements io.Writer.
func (p printer) Write(b []byte) (int, error) {
	log := p.run.logger(p.key)
	for line := range strings.Lines(string(b)) {
		log.Info(strings.TrimRight(line, "\r\n"))
	}
	return len(b), nil
}
