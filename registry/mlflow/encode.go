package mlflow

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/taximeter/taximeter/registry"
)

// longAnswer is an answer that may have many thousand fields. It writes its own
// JSON, the same values as encoding/json writes, on one line.
type longAnswer interface {
	appendJSON(b []byte) []byte
}

var _, _, _ longAnswer = runsAnswer{}, runAnswer{}, metricsAnswer{}

func (a runsAnswer) appendJSON(b []byte) []byte {
	if len(a.Runs) > 0 { // runs are much alike: room for them saves growing, which is copying
		first := len(appendRun(nil, &a.Runs[0]))
		b = slices.Grow(b, first*len(a.Runs)*9/8+256)
	}
	b = append(b, '{')
	b = appendList(b, "runs", a.Runs, appendRun)
	b = appendText(b, "next_page_token", a.NextPageToken)
	return closeObject(b)
}

func (a runAnswer) appendJSON(b []byte) []byte {
	return append(appendRun(append(b, `{"run":`...), &a.Run), '}')
}

func (a metricsAnswer) appendJSON(b []byte) []byte {
	if len(a.Metrics) > 0 {
		first := len(appendMetric(nil, &a.Metrics[0]))
		b = slices.Grow(b, (first+16)*len(a.Metrics)+256)
	}
	b = append(b, '{')
	b = appendList(b, "metrics", a.Metrics, appendMetric)
	b = appendText(b, "next_page_token", a.NextPageToken)
	return closeObject(b)
}

func appendRun(b []byte, r *registry.Run) []byte {
	i := &r.Info
	b = append(b, `{"info":{"run_uuid":`...)
	b = appendString(b, i.RunUUID)
	b = append(b, `,"experiment_id":`...)
	b = appendString(b, i.ExperimentID)
	b = append(b, `,"run_name":`...)
	b = appendString(b, i.RunName)
	b = append(b, `,"user_id":`...)
	b = appendString(b, i.UserID)
	b = append(b, `,"status":`...)
	b = appendString(b, string(i.Status))
	b = append(b, `,"start_time":`...)
	b = strconv.AppendInt(b, i.StartTime, 10)
	if i.EndTime != 0 {
		b = append(b, `,"end_time":`...)
		b = strconv.AppendInt(b, i.EndTime, 10)
	}
	b = append(b, `,"artifact_uri":`...)
	b = appendString(b, i.ArtifactURI)
	b = append(b, `,"lifecycle_stage":`...)
	b = appendString(b, string(i.Lifecycle))
	b = append(b, `,"run_id":`...)
	b = appendString(b, i.RunID)
	b = append(b, `},"data":{`...)
	b = appendList(b, "metrics", r.Data.Metrics, appendMetric)
	b = appendList(b, "params", r.Data.Params, func(b []byte, p *registry.Param) []byte { return appendPair(b, p.Key, p.Value) })
	b = appendList(b, "tags", r.Data.Tags, appendTag)
	b = closeObject(b)
	b = append(b, `,"inputs":{`...)
	b = appendList(b, "dataset_inputs", r.Inputs.Datasets, appendDatasetInput)
	b = appendList(b, "model_inputs", r.Inputs.Models, func(b []byte, m *registry.ModelInput) []byte {
		return append(appendString(append(b, `{"model_id":`...), m.ModelID), '}')
	})
	b = closeObject(b)
	if len(r.Outputs.Models) > 0 {
		b = append(b, `,"outputs":{`...)
		b = appendList(b, "model_outputs", r.Outputs.Models, func(b []byte, m *registry.ModelOutput) []byte {
			b = appendString(append(b, `{"model_id":`...), m.ModelID)
			return append(strconv.AppendInt(append(b, `,"step":`...), m.Step, 10), '}')
		})
		b = closeObject(b)
	}
	return append(b, '}')
}

func appendMetric(b []byte, m *registry.Metric) []byte { return m.AppendJSON(b, appendString) }

func appendTag(b []byte, t *registry.Tag) []byte { return appendPair(b, t.Key, t.Value) }

func appendPair(b []byte, key, value string) []byte {
	b = appendString(append(b, `{"key":`...), key)
	b = appendString(append(b, `,"value":`...), value)
	return append(b, '}')
}

func appendDatasetInput(b []byte, in *registry.DatasetInput) []byte {
	b = append(b, '{')
	b = appendList(b, "tags", in.Tags, appendTag)
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	d := &in.Dataset
	b = appendString(append(b, `"dataset":{"name":`...), d.Name)
	b = appendString(append(b, `,"digest":`...), d.Digest)
	b = appendString(append(b, `,"source_type":`...), d.SourceType)
	b = appendString(append(b, `,"source":`...), d.Source)
	b = appendText(b, "schema", d.Schema)
	b = appendText(b, "profile", d.Profile)
	return append(b, '}', '}')
}

// appendList appends a field that is a list, unless it is empty. A comma comes
// before it where it is not its object's first field.
func appendList[T any](b []byte, name string, items []T, appendItem func([]byte, *T) []byte) []byte {
	if len(items) == 0 {
		return b
	}
	b = appendName(b, name)
	for i := range items {
		separator := byte(',')
		if i == 0 {
			separator = '['
		}
		b = appendItem(append(b, separator), &items[i])
	}
	return append(b, ']')
}

// appendText appends a field that is a text, unless it is empty.
func appendText(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return appendString(appendName(b, name), value)
}

func appendName(b []byte, name string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	b = append(b, '"')
	b = append(b, name...)
	return append(b, '"', ':')
}

func closeObject(b []byte) []byte { return append(b, '}') }

// appendString appends s as a JSON string, in which only what must be is escaped.
func appendString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf {
			return appendEscaped(b, s)
		}
	}
	b = append(b, '"')
	b = append(b, s...)
	return append(b, '"')
}

func appendEscaped(b []byte, s string) []byte {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always encodes, into memory
	return append(b, bytes.TrimSuffix(text.Bytes(), []byte("\n"))...)
}
