package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// Metric is one point of a metric's history. Points are equal when all their
// fields are; logging an equal point again changes nothing.
type Metric struct {
	Key       string
	Value     float64 // may be NaN; infinities are kept as ±math.MaxFloat64
	Timestamp int64   // milliseconds since 1970, not negative
	Step      int64

	ModelID       string // the logged model it is about, if any
	DatasetName   string // the data it was measured on, if said
	DatasetDigest string
	RunID         string // set where points of several runs are told apart
}

// Batch is what one LogBatch writes, all or nothing.
type Batch struct {
	Metrics []Metric `json:"metrics,omitempty"`
	Params  []Param  `json:"params,omitempty"`
	Tags    []Tag    `json:"tags,omitempty"`
}

// HistoryQuery asks for the points of one metric of one run.
type HistoryQuery struct {
	RunID      string
	Key        string
	MaxResults int // 0: all
	PageToken  string
}

// SampleQuery asks for at most MaxResults points a run, evenly spread over the
// points in order of step, the last always among them.
type SampleQuery struct {
	RunIDs             []string // 1 to 100
	Key                string
	StartStep, EndStep *int64 // both or neither; inclusive
	MaxResults         int    // 1 to 2500; 0: 320
}

// metricJSON is the wire form of Metric; the value is a number or "NaN".
type metricJSON struct {
	Key           string          `json:"key"`
	Value         json.RawMessage `json:"value"`
	Timestamp     int64           `json:"timestamp"`
	Step          int64           `json:"step"`
	ModelID       string          `json:"model_id"`
	DatasetName   string          `json:"dataset_name"`
	DatasetDigest string          `json:"dataset_digest"`
	RunID         string          `json:"run_id"`
}

// MarshalJSON writes m as MLflow does: NaN as a string, whole values as 1.0,
// fields from ModelID on only if they are set.
func (m Metric) MarshalJSON() ([]byte, error) {
	var bad error
	b := m.AppendJSON(nil, func(b []byte, s string) []byte {
		text, err := json.Marshal(s)
		bad = errors.Join(bad, err)
		return append(b, text...)
	})
	return b, bad
}

// AppendJSON appends to b what MarshalJSON returns. Its texts are written by
// appendString.
func (m *Metric) AppendJSON(b []byte, appendString func(b []byte, s string) []byte) []byte {
	b = appendString(append(b, `{"key":`...), m.Key)
	b = appendValue(append(b, `,"value":`...), m.Value)
	b = strconv.AppendInt(append(b, `,"timestamp":`...), m.Timestamp, 10)
	b = strconv.AppendInt(append(b, `,"step":`...), m.Step, 10)
	if m.ModelID != "" {
		b = appendString(append(b, `,"model_id":`...), m.ModelID)
	}
	if m.DatasetName != "" {
		b = appendString(append(b, `,"dataset_name":`...), m.DatasetName)
	}
	if m.DatasetDigest != "" {
		b = appendString(append(b, `,"dataset_digest":`...), m.DatasetDigest)
	}
	if m.RunID != "" {
		b = appendString(append(b, `,"run_id":`...), m.RunID)
	}
	return append(b, '}')
}

// UnmarshalJSON reads what MarshalJSON and MLflow's servers write.
func (m *Metric) UnmarshalJSON(b []byte) error {
	var w metricJSON
	if err := json.Unmarshal(b, &w); err != nil {
		return err
	}
	value, err := strconv.ParseFloat(string(bytes.Trim(w.Value, `"`)), 64)
	if err != nil {
		return fmt.Errorf("read value of metric %q: %w", w.Key, err)
	}
	*m = Metric{w.Key, value, w.Timestamp, w.Step, w.ModelID, w.DatasetName, w.DatasetDigest, w.RunID}
	return nil
}

func appendValue(b []byte, v float64) []byte {
	switch {
	case math.IsNaN(v):
		return append(b, `"NaN"`...)
	case math.IsInf(v, 1):
		return append(b, `"Infinity"`...)
	case math.IsInf(v, -1):
		return append(b, `"-Infinity"`...)
	}
	format := byte('e')
	if abs := math.Abs(v); abs == 0 || abs >= 1e-4 && abs < 1e16 { // as Python prints floats
		format = 'f'
	}
	from := len(b)
	b = strconv.AppendFloat(b, v, format, -1, 64)
	if !bytes.ContainsAny(b[from:], ".e") {
		b = append(b, ".0"...)
	}
	return b
}

// Clamp returns v with infinities replaced by the largest finite values, as
// MLflow stores them.
func Clamp(v float64) float64 {
	if math.IsInf(v, 0) {
		return math.Copysign(math.MaxFloat64, v)
	}
	return v
}
