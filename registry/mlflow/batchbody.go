package mlflow

import (
	"unicode/utf8"

	"github.com/taximeter/taximeter/registry"
)

// loggedBatch is a body of runs/log-batch.
type loggedBatch struct {
	runID string
	registry.Batch
}

// parseBatch reads a body of runs/log-batch as clients usually write it, in a
// tenth of the time that the way by way of maps takes. It is not ok with
// anything unusual, mistakes among it: that is for request and its messages.
func parseBatch(body []byte) (b *loggedBatch, ok bool) {
	if !utf8.Valid(body) {
		return nil, false
	}
	b = &loggedBatch{}
	s := scanner{text: body}
	uuid := ""
	s.object(func(name []byte) {
		switch string(name) {
		case "run_id":
			b.runID = s.string()
		case "run_uuid":
			uuid = s.string()
		case "metrics":
			b.Metrics = b.Metrics[:0]
			s.list(func() { b.Metrics = append(b.Metrics, s.metric()) })
		case "params":
			b.Params = b.Params[:0]
			s.list(func() { b.Params = append(b.Params, registry.Param(s.pair())) })
		case "tags":
			b.Tags = b.Tags[:0]
			s.list(func() { b.Tags = append(b.Tags, s.pair()) })
		default:
			s.unusual = true
		}
	})
	if b.runID == "" {
		b.runID = uuid
	}
	s.space()
	return b, !s.unusual && s.at == len(s.text) && b.runID != ""
}

// metric reads a point of a metric.
func (s *scanner) metric() (m registry.Metric) {
	value, timestamp := false, false
	s.object(func(name []byte) {
		switch string(name) {
		case "key":
			m.Key = s.string()
		case "value":
			m.Value, value = s.float(), true
		case "timestamp":
			m.Timestamp, timestamp = s.integer(), true
		case "step":
			m.Step = s.integer()
		case "model_id":
			m.ModelID = s.string()
		case "dataset_name":
			m.DatasetName = s.string()
		case "dataset_digest":
			m.DatasetDigest = s.string()
		case "run_id":
			s.string()
		default:
			s.unusual = true
		}
	})
	s.unusual = s.unusual || m.Key == "" || !value || !timestamp
	return m
}

// pair reads a param or tag.
func (s *scanner) pair() (t registry.Tag) {
	s.object(func(name []byte) {
		switch string(name) {
		case "key":
			t.Key = s.string()
		case "value":
			t.Value = s.string()
		default:
			s.unusual = true
		}
	})
	s.unusual = s.unusual || t.Key == ""
	return t
}
