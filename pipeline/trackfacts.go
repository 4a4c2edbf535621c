package pipeline

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/taximeter/taximeter/registry"
)

// Names under which MLflow's autologging keeps the curves of XGBoost, where its
// watch list has the sets "train" and "validation".
const (
	trainCurve = "train-rmse"
	validCurve = "validation-rmse"
)

// batch is what is logged of a fit. Its points have the time the fit ended, so
// that logging them twice is logging them once. The figures, and not the curves,
// are the logged model's too, if one is named.
func (f FitFacts) batch(loggedModel string) registry.Batch {
	var b registry.Batch
	for _, key := range slices.Sorted(maps.Keys(f.Params)) {
		b.Params = append(b.Params, registry.Param{Key: key, Value: fmt.Sprint(f.Params[key])})
	}
	for prefix, m := range map[string]MonthFacts{"train": f.Train, "valid": f.Valid} {
		b.Params = append(b.Params, registry.Param{Key: prefix + "_month", Value: m.name()}, registry.Param{Key: prefix + "_sha256", Value: m.File.SHA256})
		if f.Error == "" {
			b.Params = append(b.Params, registry.Param{Key: prefix + "_rows", Value: strconv.Itoa(m.RowsKept)})
		}
	}
	at := f.Ended.UnixMilli()
	for _, key := range slices.Sorted(maps.Keys(f.Metrics)) {
		m := registry.Metric{Key: key, Value: f.Metrics[key], Timestamp: at, ModelID: loggedModel}
		switch {
		case loggedModel == "" || key == "inference_time": // which is of rides of both months
		case key == "rmse_train":
			m.DatasetName, m.DatasetDigest = f.Train.dataset()
		default:
			m.DatasetName, m.DatasetDigest = f.Valid.dataset()
		}
		b.Metrics = append(b.Metrics, m)
	}
	for i := range f.Curves.Valid {
		b.Metrics = append(b.Metrics,
			registry.Metric{Key: trainCurve, Value: f.Curves.Train[i], Timestamp: at, Step: int64(i)},
			registry.Metric{Key: validCurve, Value: f.Curves.Valid[i], Timestamp: at, Step: int64(i)})
	}
	return b
}

// name is how the month is called: 2021-01, or the file's name where it does not
// tell.
func (m MonthFacts) name() string {
	if m.File.Month.IsZero() {
		return path.Base(m.File.Path)
	}
	return m.File.Month.String()
}

// dataset is how the rides of the month are called in a tracking server.
func (m MonthFacts) dataset() (name, digest string) {
	return strings.TrimPrefix(string(m.File.Taxi)+"_"+m.name(), "_"), m.File.SHA256[:16]
}

// rideSchema are the columns of the rides that models are fitted on, as MLflow
// writes a schema.
const rideSchema = `{"mlflow_colspec": [` +
	`{"type": "long", "name": "PULocationID", "required": true}, ` +
	`{"type": "long", "name": "DOLocationID", "required": true}, ` +
	`{"type": "double", "name": "trip_distance", "required": true}, ` +
	`{"type": "double", "name": "duration", "required": true}]}`

func (f FitFacts) datasets() []registry.DatasetInput {
	input := func(m MonthFacts, use string) registry.DatasetInput {
		name, digest := m.dataset()
		source, _ := json.Marshal(map[string]string{"uri": m.File.Path, "sha256": m.File.SHA256}) // strings never fail
		profile, _ := json.Marshal(map[string]int{"num_rows": m.RowsKept, "num_elements": 4 * m.RowsKept, "num_rows_read": m.RowsRead})
		return registry.DatasetInput{
			Tags: []registry.Tag{{Key: "mlflow.data.context", Value: use}},
			Dataset: registry.Dataset{
				Name: name, Digest: digest, SourceType: "local", Source: string(source), Schema: rideSchema, Profile: string(profile),
			},
		}
	}
	return []registry.DatasetInput{input(f.Train, "training"), input(f.Valid, "validation")}
}
