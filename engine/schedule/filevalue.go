package schedule

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// text takes a scalar as it is written.
func text[T ~string](p *fileParser, to *T) func(ast.Node) error {
	return func(n ast.Node) error {
		switch at := p.plain(n).(type) {
		case *ast.StringNode:
			*to = T(at.Value)
		case *ast.LiteralNode:
			*to = T(at.Value.Value)
		case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
			*to = T(at.GetToken().Value)
		default:
			return errors.New("want text")
		}
		return nil
	}
}

func (p *fileParser) texts(to *[]string) func(ast.Node) error {
	return func(n ast.Node) error {
		return p.sequence(n, "texts", func(n ast.Node) {
			var one string
			if err := text(p, &one)(n); err != nil {
				p.errorf(n, "%v", err)
			}
			*to = append(*to, one)
		})
	}
}

func (p *fileParser) flag(to *bool) func(ast.Node) error {
	return func(n ast.Node) error {
		at, ok := p.plain(n).(*ast.BoolNode)
		if !ok {
			return errors.New("want true or false")
		}
		*to = at.Value
		return nil
	}
}

// decode decodes what n stands for.
func (p *fileParser) decode(n ast.Node, v any) error {
	if n = p.plain(n); n == nil {
		return errors.New("there is no such anchor")
	}
	return yaml.NodeToValue(n, v)
}

// parameters takes a mapping of any shape, as JSON, and notes where each is.
func (p *fileParser) parameters(to *json.RawMessage) func(ast.Node) error {
	return func(n ast.Node) error {
		switch at := p.plain(n).(type) {
		case *ast.MappingNode:
			for _, v := range at.Values {
				p.places[v.Key.String()] = v.Key
			}
		case *ast.MappingValueNode:
			p.places[at.Key.String()] = at.Key
		}
		var values map[string]any
		if err := p.decode(n, &values); err != nil || values == nil {
			return errors.New("want names and values")
		}
		encoded, err := encode(values)
		*to = encoded
		return err
	}
}

// pool takes the name of a work pool or, as Prefect has it, a mapping of its name
// and a queue's.
func (p *fileParser) pool(d *Deployment) func(ast.Node) error {
	return func(n ast.Node) error {
		if text(p, &d.Pool)(n) == nil {
			return nil
		}
		p.mapping(n, "work_pool", []entry{{"name", text(p, &d.Pool)}, {"work_queue_name", text(p, &d.Queue)}})
		return nil
	}
}

// limit takes a number or, as Prefect has it, a mapping of a limit and a
// collision strategy.
func (p *fileParser) limit(d *Deployment) func(ast.Node) error {
	number := func(n ast.Node) error {
		if err := p.decode(n, &d.Limit); err != nil || d.Limit < 1 {
			return errors.New("want a number of runs, at least 1")
		}
		return nil
	}
	collision := func(n ast.Node) error {
		err := text(p, &d.Collision)(n)
		d.Collision = Collision(strings.ReplaceAll(strings.ToLower(string(d.Collision)), "_", "-"))
		return err
	}
	return func(n ast.Node) error {
		if _, scalar := p.plain(n).(ast.ScalarNode); scalar {
			return number(n)
		}
		p.mapping(n, "concurrency_limit", []entry{{"limit", number}, {"collision", collision}, {"collision_strategy", collision}})
		return nil
	}
}
