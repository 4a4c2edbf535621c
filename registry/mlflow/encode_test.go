package mlflow

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"

	"github.com/taximeter/taximeter/registry"
)

// What is written without reflection is what encoding/json would write.
func TestLongAnswers(t *testing.T) {
	metrics := []registry.Metric{{Key: "a/é \"b\"", Value: math.NaN(), Timestamp: 1, Step: -3},
		{Key: "b", Value: 1, ModelID: "m-1", DatasetName: "d", DatasetDigest: "<e>", RunID: "r"}, {Key: "c", Value: 1e300}}
	run := registry.Run{
		Info: registry.RunInfo{RunUUID: "r", ExperimentID: "1", RunName: "n\\\n\x01\xff\u2028", UserID: "", Status: registry.Running, StartTime: 5,
			ArtifactURI: "mlflow-artifacts:/1/r/artifacts", Lifecycle: registry.Active, RunID: "r"},
		Data: registry.RunData{Metrics: metrics, Params: []registry.Param{{Key: "p", Value: ""}, {Key: "q", Value: "<&>"}},
			Tags: []registry.Tag{{Key: "t", Value: "{\"a\": 1}"}}},
		Inputs: registry.RunInputs{Datasets: []registry.DatasetInput{
			{Tags: []registry.Tag{{Key: "mlflow.data.context", Value: "training"}}, Dataset: registry.Dataset{Name: "d", Digest: "e", Schema: "{}"}},
			{Dataset: registry.Dataset{Profile: "{}"}}},
			Models: []registry.ModelInput{{ModelID: "m-1"}, {ModelID: "m-2"}}},
		Outputs: registry.RunOutputs{Models: []registry.ModelOutput{{ModelID: "m-3", Step: 7}}},
	}
	ended := registry.Run{Info: registry.RunInfo{EndTime: 9}}
	for _, answer := range []longAnswer{runAnswer{run}, runsAnswer{}, runsAnswer{[]registry.Run{run, ended}, "next"}, metricsAnswer{},
		metricsAnswer{metrics, "next"}, metricsAnswer{NextPageToken: "next"}} {
		text, err := json.Marshal(answer)
		if err != nil {
			t.Fatal(err)
		}
		var got, want any
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(answer.appendJSON(nil), &got); err != nil {
			t.Errorf("%v:\n%s", err, answer.appendJSON(nil))
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got  %s\nwant %s", answer.appendJSON(nil), text)
		}
	}
}
