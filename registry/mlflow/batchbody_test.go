package mlflow

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/taximeter/taximeter/registry"
)

// slowly reads a body of runs/log-batch by way of maps.
func slowly(body []byte) (*loggedBatch, error) {
	r := &request{ctx: context.Background(), fields: map[string]any{}}
	if fields, ok := decode(body).(map[string]any); ok {
		r.fields = fields
	}
	b := readBatch(r)
	return b, r.err
}

var bodies = []string{
	`{"run_id":"r","metrics":[{"key":"a","value":0.1,"timestamp":1,"step":-2},{"key":"a","value":"NaN","timestamp":2}],"params":[],"tags":[{"key":"t","value":"\u00e9 \"x\"\n"}]}`,
	` {"run_uuid" : "r" , "params" : [ { "key" : "é" , "value" : "" } ] , "metrics" : [ ] } `,
	`{"run_id":"r","run_uuid":"s","metrics":[{"key":"m","value":-1e-7,"timestamp":9223372036854775807,"model_id":"m-1","dataset_name":"d","dataset_digest":"e","run_id":"r"}]}`,
	`{"run_id":"r","metrics":[{"key":"m","value":1,"timestamp":1}],"metrics":[{"key":"n","value":1E+3,"timestamp":0}]}`,
	`{"run_id":"r","tags":[{"key":"k"}]}`,
}

func TestUsualBatches(t *testing.T) {
	for _, body := range bodies {
		if _, ok := parseBatch([]byte(body)); !ok {
			t.Errorf("unusual: %s", body)
		}
	}
	for _, body := range []string{``, `{}`, `[]`, `{"run_id":"r"`, `{"run_id":"r"} x`, `{"run_id":5}`, `{"run_id":"r","metrics":[{"key":"m","value":1}]}`,
		`{"run_id":"r","metrics":[{"key":"m","value":01,"timestamp":1}]}`, `{"run_id":"r","metrics":[{"key":"m","value":NaN,"timestamp":1}]}`,
		`{"run_id":"r","metrics":[{"key":"m","value":1.,"timestamp":1}]}`, `{"run_id":"r","metrics":[{"key":"m","value":1,"timestamp":1.5}]}`,
		`{"run_id":"r","params":[{"key":"p","value":1}]}`, `{"run_id":"r","params":[{"value":"v"}]}`, `{"run_id":"r","metrics":null}`, `{"run_id":"r","metrics":[1]}`,
		"{\"run_id\":\"\xff\"}", "{\"run_id\":\"a\nb\"}", `{"run_id":"\x"}`, `{"run_id":"r",}`, `{"run_id":"r","tags":[{"key":"k","value":"v"},]}`, `{"run_id":"\`} {
		if b, ok := parseBatch([]byte(body)); ok {
			t.Errorf("usual: %s: %+v", body, b)
		}
	}
}

// What is read the fast way is what is read by way of maps.
func FuzzBatchBody(f *testing.F) {
	for _, body := range bodies {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, ok := parseBatch(body)
		if !ok {
			return
		}
		want, err := slowly(body)
		if err != nil {
			t.Fatalf("%s: read as %+v, but %v", body, got, err)
		}
		if g, w := printed(got), printed(want); g != w {
			t.Errorf("%s\ngot  %s\nwant %s", body, g, w)
		}
	})
}

func printed(b *loggedBatch) string {
	text, err := json.Marshal(registry.Batch{Params: b.Params, Tags: b.Tags})
	return fmt.Sprintf("%q %s %v %+v", b.runID, text, err, append([]registry.Metric{}, b.Metrics...))
}
