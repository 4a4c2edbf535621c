package enginehttp

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/schedule"
	"github.com/taximeter/taximeter/engine/worker"
)

// object is a JSON object of the document.
type object = map[string]any

// components are the schemas that have names in the document. Where one of them
// stands in another, a reference does.
func components() (names []string, schemas map[string]*engine.Schema) {
	schemas = map[string]*engine.Schema{
		"State": schemaOf[State](true), "FlowRun": schemaOf[FlowRun](true), "FlowRunDetails": schemaOf[Details](true), "TaskRun": schemaOf[TaskRun](true),
		"LogLine": schemaOf[LogLine](true), "Event": schemaOf[Event](true), "Graph": schemaOf[Graph](true), "Node": schemaOf[Node](true), "Edge": schemaOf[Edge](true),
		"Flow": schemaOf[Flow](true), "Artifact": schemaOf[engine.Artifact](true), "Deployment": schemaOf[schedule.Deployment](true), "Schedule": schemaOf[schedule.Schedule](true),
		"DeploymentRecord": schemaOf[schedule.Record](true), "WorkPool": schemaOf[worker.Pool](true), "WorkQueue": schemaOf[worker.Queue](true),
		"WorkerStatus": schemaOf[worker.Status](true), "Worker": schemaOf[worker.Info](false), "ConcurrencyLimit": schemaOf[Limit](true), "Due": schemaOf[Due](true),
		"Error": schemaOf[problemBody](true),
	}
	return slices.Sorted(maps.Keys(schemas)), schemas
}

// document is the OpenAPI 3.1 description of the operations.
func document(operations []*operation) object {
	names, schemas := components()
	d := &documenter{refs: map[string]string{}}
	// Each is written before it can be referred to, and the small ones first.
	written := map[string]any{}
	for _, name := range names {
		written[name] = plainSchema(schemas[name])
	}
	for _, name := range names {
		d.refs[canonical(written[name])] = name
	}
	for _, name := range names {
		written[name] = d.within(written[name])
	}
	paths := map[string]object{}
	for _, o := range operations {
		path := Prefix + strings.ReplaceAll(o.path, "...", "")
		if paths[path] == nil {
			paths[path] = object{}
		}
		paths[path][strings.ToLower(o.method)] = d.operation(o)
	}
	return object{
		"openapi":           "3.1.0",
		"jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
		"info": object{
			"title": "Taximeter engine", "version": "1",
			"description": "Flows, their runs, and when and where they are carried out. Bodies are JSON; a field or a query parameter that is not known is refused. " +
				"Errors have the shape of Error: code is for programs, message for people, field says what in the request is wrong.",
		},
		"paths":      paths,
		"components": object{"schemas": written},
	}
}

// documenter puts references in the place of schemas that have a name.
type documenter struct{ refs map[string]string }

func (d *documenter) operation(o *operation) object {
	var parameters []object
	for _, name := range o.parameters() {
		parameters = append(parameters, object{"name": name, "in": "path", "required": true, "schema": object{"type": "string"}})
	}
	if o.query != nil {
		for _, name := range o.query.Order {
			p := plainSchema(o.query.Properties[name])
			parameter := object{"name": name, "in": "query", "schema": d.ref(p)}
			if text, ok := p["description"]; ok {
				parameter["description"] = text
				delete(p, "description")
			}
			if p["type"] == "array" {
				parameter["explode"] = false
			}
			parameters = append(parameters, parameter)
		}
	}
	if o.stream != "" {
		parameters = append(parameters, object{"name": "Last-Event-ID", "in": "header", "schema": object{"type": "integer"},
			"description": "ID of the last event that was received; goes before after"})
	}
	failure := object{"description": "What is wrong", "content": object{"application/json": object{"schema": object{"$ref": "#/components/schemas/Error"}}}}
	success := object{"description": http.StatusText(o.status)}
	switch {
	case o.stream != "":
		success["description"] = o.stream
		success["content"] = object{"text/event-stream": object{"schema": object{"type": "string"}}}
	case o.bytes && o.method == http.MethodGet:
		success["content"] = octets
	case o.answer != nil:
		success["content"] = object{"application/json": object{"schema": d.ref(plainSchema(o.answer))}}
	}
	out := object{"operationId": o.name, "summary": o.summary, "tags": []string{o.tag},
		"responses": object{strconv.Itoa(o.status): success, "default": failure}}
	if len(parameters) > 0 {
		out["parameters"] = parameters
	}
	if o.bytes && o.method == http.MethodPut {
		out["requestBody"] = object{"required": true, "content": octets}
	}
	if o.body != nil {
		out["requestBody"] = object{"required": len(o.body.Required) > 0, "content": object{"application/json": object{"schema": d.ref(plainSchema(o.body))}}}
	}
	return out
}

// octets is a body of bytes of any kind.
var octets = object{"application/octet-stream": object{"schema": object{}}}

// ref is a reference to v, where that has a name, or v with references in it.
func (d *documenter) ref(v any) any {
	o, ok := v.(object)
	if !ok {
		return v
	}
	if name, ok := d.refs[canonical(o)]; ok {
		ref := object{"$ref": "#/components/schemas/" + name}
		if text, ok := o["description"]; ok {
			ref["description"] = text
		}
		return ref
	}
	return d.within(o)
}

// within puts references into v.
func (d *documenter) within(v any) any {
	o, ok := v.(object)
	if !ok {
		return v
	}
	out := maps.Clone(o)
	for _, key := range []string{"items", "additionalProperties"} {
		if inner, ok := o[key]; ok {
			out[key] = d.ref(inner)
		}
	}
	if properties, ok := o["properties"].(object); ok {
		inner := object{}
		for name, p := range properties {
			inner[name] = d.ref(p)
		}
		out["properties"] = inner
	}
	if list, ok := o["anyOf"].([]any); ok {
		inner := make([]any, len(list))
		for i, v := range list {
			inner[i] = d.ref(v)
		}
		out["anyOf"] = inner
	}
	return out
}

// canonical identifies a schema, whatever is said about it.
func canonical(v any) string {
	o, ok := v.(object)
	if !ok {
		return ""
	}
	bare := maps.Clone(o)
	delete(bare, "description")
	text, err := json.Marshal(bare) // its keys are sorted
	if err != nil {
		panic(fmt.Sprintf("write a schema: %v", err)) // of what is written here
	}
	return string(text)
}

// plainSchema is s in the words of JSON Schema 2020-12, which has null among the
// types.
func plainSchema(s *engine.Schema) object {
	if s == nil {
		return object{}
	}
	bare := *s
	bare.Items, bare.Properties, bare.Values, bare.Nullable = nil, nil, nil, false
	text, err := json.Marshal(&bare)
	out := object{}
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		panic(fmt.Sprintf("write a schema: %v", err)) // of what is written here
	}
	if s.Items != nil {
		out["items"] = plainSchema(s.Items)
	}
	if s.Values != nil {
		out["additionalProperties"] = plainSchema(s.Values)
	}
	if len(s.Properties) > 0 {
		properties := object{}
		for name, p := range s.Properties {
			properties[name] = plainSchema(p)
		}
		out["properties"] = properties
	}
	if !s.Nullable || s.Type == "" {
		return out
	}
	if s.Type != "object" || len(s.Properties) == 0 {
		out["type"] = []any{s.Type, "null"}
		return out
	}
	nullable := object{"anyOf": []any{out, object{"type": "null"}}}
	if text, ok := out["description"]; ok {
		nullable["description"] = text
		delete(out, "description")
	}
	return nullable
}
