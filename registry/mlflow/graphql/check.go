package graphql

import (
	"fmt"
	"reflect"
)

// check returns an error unless the operation asks for what there is.
func (e *execution) check(o *operation, root *definition) error {
	c := checker{e.schema, e.doc, map[string]bool{}, map[string]bool{}, map[string]bool{}}
	for _, v := range o.variables {
		c.variables[v.name] = true
	}
	if err := c.directives(o.directives); err != nil {
		return err
	}
	return c.selections(root, o.selections)
}

type checker struct {
	schema    *Schema
	doc       *document
	variables map[string]bool // that are declared
	within    map[string]bool // fragments that are being checked
	checked   map[string]bool // fragments that were, so that none is twice
}

func (c *checker) selections(of *definition, selections []selection) error {
	first := map[string]*selection{}
	for _, f := range flat(c.doc, selections) {
		if before := first[f.key()]; before == nil {
			first[f.key()] = f
		} else if before.name != f.name || !reflect.DeepEqual(before.arguments, f.arguments) {
			return fmt.Errorf("Fields '%s' conflict because they are different. Use different aliases on the fields to fetch both.", f.key())
		}
	}
	for i := range selections {
		if err := c.selection(of, &selections[i]); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) selection(of *definition, s *selection) error {
	if err := c.directives(s.directives); err != nil {
		return err
	}
	switch {
	case s.inline:
		if s.on != "" && s.on != of.name {
			return fmt.Errorf("Fragment cannot be spread here as objects of type '%s' can never be of type '%s'.", of.name, s.on)
		}
		return c.selections(of, s.selections)
	case s.spread != "":
		return c.spread(of, s.spread)
	case s.name == "__typename":
		return nil
	}
	f := of.fields[s.name]
	if f == nil {
		return fmt.Errorf("Cannot query field '%.100s' on type '%s'.", s.name, of.name)
	}
	for _, a := range s.arguments {
		if err := c.declared(a.value); err != nil {
			return err
		}
	}
	d := c.schema.types[f.of.name]
	switch isObject := d.kind == "type"; {
	case isObject && len(s.selections) == 0:
		return fmt.Errorf("Field '%s' of type '%s' must have a selection of subfields. Did you mean '%[1]s { ... }'?", f.name, f.of)
	case !isObject && len(s.selections) > 0:
		return fmt.Errorf("Field '%s' must not have a selection since type '%s' has no subfields.", f.name, f.of)
	case isObject:
		return c.selections(d, s.selections)
	}
	return nil
}

func (c *checker) spread(of *definition, name string) error {
	f := c.doc.fragments[name]
	switch {
	case f == nil:
		return fmt.Errorf("Unknown fragment '%.100s'.", name)
	case c.within[name]:
		return fmt.Errorf("Cannot spread fragment '%.100s' within itself.", name)
	case f.on != of.name:
		return fmt.Errorf("Fragment '%.100s' cannot be spread here as objects of type '%s' can never be of type '%.100s'.", name, of.name, f.on)
	}
	if c.checked[name] {
		return nil
	}
	c.within[name] = true
	err := c.selections(of, f.selections)
	delete(c.within, name)
	c.checked[name] = true
	return err
}

func (c *checker) directives(directives []directive) error {
	for _, d := range directives {
		if !c.schema.directives[d.name] {
			return fmt.Errorf("Unknown directive '@%.100s'.", d.name)
		}
		for _, a := range d.arguments {
			if err := c.declared(a.value); err != nil {
				return err
			}
		}
	}
	return nil
}

// declared returns an error if a value uses a variable that is not declared.
func (c *checker) declared(v value) error {
	switch v := v.(type) {
	case variableRef:
		if !c.variables[string(v)] {
			return fmt.Errorf("Variable '$%.100s' is not defined.", string(v))
		}
	case []any:
		for _, item := range v {
			if err := c.declared(item); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, item := range v {
			if err := c.declared(item); err != nil {
				return err
			}
		}
	}
	return nil
}
