package schedule

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/taximeter/taximeter/engine"
)

// FileName is where deployments are declared, unless another file is named.
const FileName = "taximeter.yaml"

// ParseFile reads the deployments in the text of a YAML file called name, which
// has them in a list under "deployments". It returns all of them or, where
// anything is wrong with any, none: the error then joins a FileError for each
// mistake. The deployments are as they are written, not normalized, but would
// pass that. Where flows are given, each deployment must also be of one of them and
// give it the parameters it wants.
func ParseFile(name string, text []byte, flows ...engine.Runnable) ([]Deployment, error) {
	p := &fileParser{name: name, anchors: map[string]ast.Node{}, flows: flows}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, p.syntaxError(err)
	}
	for _, doc := range file.Docs {
		if doc.Body != nil {
			p.document(doc.Body)
		}
	}
	if len(p.list) == 0 && len(p.errs) == 0 {
		p.errs = append(p.errs, &FileError{File: name, Message: `it declares no deployments; want a list under "deployments"`})
	}
	if len(p.errs) > 0 {
		return nil, errors.Join(p.errs...)
	}
	return p.list, nil
}

type fileParser struct {
	name    string
	anchors map[string]ast.Node
	list    []Deployment
	lines   []ast.Node // of list
	errs    []error
	depth   int // of mappings within mappings
	flows   []engine.Runnable
	places  map[string]ast.Node // of the present deployment: its flow (""), its parameters by name
}

// plain follows anchors, aliases and tags to the node they stand for.
func (p *fileParser) plain(n ast.Node) ast.Node {
	for range 10 { // or an alias could name itself
		switch at := n.(type) {
		case *ast.AnchorNode:
			p.anchors[at.Name.String()] = at.Value
			n = at.Value
		case *ast.AliasNode:
			n = p.anchors[at.Value.String()]
		case *ast.TagNode:
			n = at.Value
		default:
			return n
		}
	}
	return nil
}

// entry is what one key of a mapping does.
type entry struct {
	name string
	take func(n ast.Node) error
}

// mapping takes each key of the mapping n to its entry.
func (p *fileParser) mapping(n ast.Node, what string, entries []entry) {
	if p.depth++; p.depth > 10 { // an alias may name what it is part of
		p.errorf(n, "%s: it is nested too deeply", what)
		return
	}
	defer func() { p.depth-- }()
	var values []*ast.MappingValueNode
	switch at := p.plain(n).(type) {
	case *ast.MappingNode:
		values = at.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{at}
	default:
		p.errorf(n, "%s: want names and values", what)
		return
	}
	seen := map[string]bool{}
	for _, v := range values {
		key := v.Key.String()
		if _, merge := v.Key.(*ast.MergeKeyNode); merge {
			p.mapping(v.Value, what, entries)
			continue
		}
		i := slices.IndexFunc(entries, func(e entry) bool { return e.name == key })
		switch {
		case i < 0:
			p.errorf(v.Key, "unknown field %q%s", key, suggest(key, entries))
		case seen[key]:
			p.errorf(v.Key, "field %q is there twice", key)
		default:
			seen[key] = true
			if err := entries[i].take(v.Value); err != nil {
				p.errorf(v.Value, "%s: %v", key, err)
			}
		}
	}
}

func (p *fileParser) sequence(n ast.Node, what string, each func(ast.Node)) error {
	list, ok := p.plain(n).(*ast.SequenceNode)
	if !ok {
		return fmt.Errorf("want a list of %s", what)
	}
	for _, v := range list.Values {
		each(v)
	}
	return nil
}

func (p *fileParser) document(n ast.Node) {
	p.mapping(n, p.name, []entry{{"deployments", func(n ast.Node) error {
		return p.sequence(n, "deployments", p.deployment)
	}}})
}

func (p *fileParser) deployment(n ast.Node) {
	var d Deployment
	before := len(p.errs)
	p.places = map[string]ast.Node{"": n}
	p.mapping(n, "a deployment", []entry{
		{"flow", func(n ast.Node) error { p.places[""] = n; return text(p, &d.Flow)(n) }}, {"name", text(p, &d.Name)}, {"description", text(p, &d.Description)},
		{"parameters", p.parameters(&d.Parameters)}, {"tags", p.texts(&d.Tags)},
		{"schedule", func(n ast.Node) error { p.schedule(n, &d); return nil }},
		{"schedules", func(n ast.Node) error { return p.sequence(n, "schedules", func(n ast.Node) { p.schedule(n, &d) }) }},
		{"paused", p.flag(&d.Paused)},
		{"work_pool", p.pool(&d)}, {"work_queue", text(p, &d.Queue)},
		{"concurrency_limit", p.limit(&d)}, {"collision", text(p, &d.Collision)},
		{"catch_up", func(n ast.Node) (err error) {
			var s string
			if err = text(p, &s)(n); err == nil {
				d.CatchUp, err = ParseCatchUp(s)
			}
			return err
		}},
		{"on_crash", text(p, &d.OnCrash)},
	})
	if len(p.errs) > before {
		return
	}
	normal, err := d.Normalize(time.Time{}.Add(day))
	if err != nil {
		p.errorf(n, "%v", err)
	} else if len(p.flows) > 0 {
		p.checkFlow(d)
	}
	for i, other := range p.list {
		if other.Ref() == normal.Ref() {
			p.errorf(n, "deployment %s is there twice, first in line %d", d.Ref(), p.lines[i].GetToken().Position.Line)
		}
	}
	p.list, p.lines = append(p.list, d), append(p.lines, n)
}

func (p *fileParser) schedule(n ast.Node, d *Deployment) {
	var s Schedule
	before := len(p.errs)
	active, dayOr := true, true
	anchor := func(n ast.Node) (err error) {
		var written string
		if err = text(p, &written)(n); err == nil {
			s.Anchor, err = parseAnchor(written)
		}
		return err
	}
	p.mapping(n, "a schedule", []entry{
		{"slug", text(p, &s.Slug)}, {"active", p.flag(&active)}, {"parameters", p.parameters(&s.Parameters)},
		{"interval", func(n ast.Node) (err error) {
			var written string
			if err = text(p, &written)(n); err == nil {
				s.Interval, err = ParseInterval(written)
			}
			return err
		}},
		{"anchor", anchor}, {"anchor_date", anchor},
		{"cron", text(p, &s.Cron)}, {"day_or", p.flag(&dayOr)}, {"rrule", text(p, &s.RRule)},
		{"timezone", text(p, &s.TimeZone)},
	})
	s.Inactive, s.DayAnd = !active, !dayOr
	if len(p.errs) == before {
		if err := s.Validate(); err != nil {
			p.errorf(n, "%v", err)
		}
	}
	d.Schedules = append(d.Schedules, s)
}

func parseAnchor(text string) (time.Time, error) {
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly} {
		if t, err := time.Parse(form, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q: want a time such as 2024-01-01T09:00:00Z", text)
}
