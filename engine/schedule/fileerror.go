package schedule

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/taximeter/taximeter/engine"
)

// FileError is a mistake in a file of deployments, with its place.
type FileError struct {
	File         string
	Line, Column int // from 1; 0: not known
	Message      string
}

func (e *FileError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

func (p *fileParser) syntaxError(err error) error {
	e := &FileError{File: p.name, Message: err.Error()}
	var syntax yaml.Error
	if errors.As(err, &syntax) {
		e.Message = syntax.GetMessage()
		if at := syntax.GetToken(); at != nil && at.Position != nil {
			e.Line, e.Column = at.Position.Line, at.Position.Column
		}
	}
	return e
}

func (p *fileParser) errorf(at ast.Node, format string, args ...any) {
	e := &FileError{File: p.name, Message: fmt.Sprintf(format, args...)}
	if t := at.GetToken(); t != nil && t.Position != nil {
		e.Line, e.Column = t.Position.Line, t.Position.Column
	}
	p.errs = append(p.errs, e)
}

// checkFlow says what the flow of d has against it, where that is written.
func (p *fileParser) checkFlow(d Deployment) {
	err := d.Check(p.flows)
	if err == nil {
		return
	}
	at := p.places[""]
	var parameter *engine.ParameterError
	if errors.As(err, &parameter) {
		name, _, _ := strings.Cut(parameter.Parameter, ".")
		name, _, _ = strings.Cut(name, "[")
		if n := p.places[name]; n != nil {
			at = n
		}
	}
	p.errorf(at, "%v", err)
}
