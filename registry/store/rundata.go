package store

import (
	"database/sql/driver"
	"fmt"
	"math"

	"github.com/taximeter/taximeter/data/sqlite"
	"github.com/taximeter/taximeter/registry"
)

// readData fills in what was logged to the runs with these numbers: a handful
// of statements, however many runs there are.
func readData(view *sqlite.Snapshot, numbers []int64, runs []registry.Run) error {
	if len(numbers) == 0 {
		return nil
	}
	d := dataReader{view: view, list: jsonList(numbers), runs: runs, at: make(map[int64]int, len(numbers))}
	for i, n := range numbers {
		d.at[n] = i
	}
	var (
		metrics lists[registry.Metric]
		params  lists[registry.Param]
		tags    lists[registry.Tag]
	)
	d.each("latest_metrics", "key, value, is_nan, timestamp, step", 5, func(r *registry.Run, row []driver.Value) {
		m := registry.Metric{Key: row[0].(string), Value: row[1].(float64), Timestamp: row[3].(int64), Step: row[4].(int64)}
		if row[2].(int64) != 0 {
			m.Value = math.NaN()
		}
		r.Data.Metrics = metrics.add(r.Data.Metrics, m)
	})
	d.each("params", "key, value", 2, func(r *registry.Run, row []driver.Value) {
		r.Data.Params = params.add(r.Data.Params, registry.Param{Key: row[0].(string), Value: row[1].(string)})
	})
	d.each("tags", "key, value", 2, func(r *registry.Run, row []driver.Value) {
		r.Data.Tags = tags.add(r.Data.Tags, registry.Tag{Key: row[0].(string), Value: row[1].(string)})
	})
	d.datasets()
	d.each("model_inputs", "model", 1, func(r *registry.Run, row []driver.Value) {
		r.Inputs.Models = append(r.Inputs.Models, registry.ModelInput{ModelID: row[0].(string)})
	})
	d.each("model_outputs", "model, step", 2, func(r *registry.Run, row []driver.Value) {
		r.Outputs.Models = append(r.Outputs.Models, registry.ModelOutput{ModelID: row[0].(string), Step: row[1].(int64)})
	})
	if d.err != nil {
		return fmt.Errorf("read data of runs: %w", d.err)
	}
	return nil
}

// lists makes one list after another, each with room for as many items as the
// one before had: runs of an experiment are much alike.
type lists[T any] struct{ room int }

func (l *lists[T]) add(list []T, item T) []T {
	if list == nil {
		list = make([]T, 0, max(l.room, 1))
	}
	list = append(list, item)
	l.room = len(list)
	return list
}

// dataReader reads rows of runs; after an error, none.
type dataReader struct {
	view *sqlite.Snapshot
	list string // the runs' numbers, as JSON
	at   map[int64]int
	runs []registry.Run
	err  error
}

// each gives each row of the runs in a table to do, with its run.
func (d *dataReader) each(table, columns string, n int, do func(r *registry.Run, row []driver.Value)) {
	if d.err != nil {
		return
	}
	number, run := int64(-1), (*registry.Run)(nil) // of the row before, which is mostly of the same run
	d.err = d.view.Each(n+1, func(row []driver.Value) error {
		if of := row[0].(int64); of != number {
			number, run = of, &d.runs[d.at[of]]
		}
		do(run, row[1:])
		return nil
	}, "SELECT run, "+columns+" FROM "+table+" WHERE run IN (SELECT value FROM json_each(?))", d.list)
}

// datasets reads the datasets of runs with their tags.
func (d *dataReader) datasets() {
	type input struct{ run, dataset int64 }
	indexes := map[input]int{}
	d.each("dataset_inputs i JOIN datasets d ON d.n = i.dataset", "i.run, i.dataset, d.name, d.digest, d.source_type, d.source, d.schema, d.profile", 8,
		func(r *registry.Run, row []driver.Value) {
			text := func(i int) string { return row[i].(string) }
			indexes[input{row[0].(int64), row[1].(int64)}] = len(r.Inputs.Datasets)
			r.Inputs.Datasets = append(r.Inputs.Datasets, registry.DatasetInput{
				Dataset: registry.Dataset{Name: text(2), Digest: text(3), SourceType: text(4), Source: text(5), Schema: text(6), Profile: text(7)}})
		})
	if len(indexes) == 0 {
		return
	}
	d.each("dataset_input_tags", "run, dataset, key, value", 4, func(r *registry.Run, row []driver.Value) {
		in := &r.Inputs.Datasets[indexes[input{row[0].(int64), row[1].(int64)}]]
		in.Tags = append(in.Tags, registry.Tag{Key: row[2].(string), Value: row[3].(string)})
	})
}
