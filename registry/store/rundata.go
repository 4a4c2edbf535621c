package store

import (
	"database/sql"
	"fmt"
	"math"

	"github.com/taximeter/taximeter/registry"
)

// readData fills in what was logged to the runs with these numbers: a handful
// of statements, however many runs there are.
func readData(tx *sql.Tx, numbers []int64, runs []registry.Run) error {
	if len(numbers) == 0 {
		return nil
	}
	at := make(map[int64]int, len(numbers)) // index of a run
	for i, n := range numbers {
		at[n] = i
	}
	list := jsonList(numbers)
	each := func(text string, scan func(rows *sql.Rows) error) error {
		_, err := query(tx, func(rows *sql.Rows) (struct{}, error) { return struct{}{}, scan(rows) }, text, list)
		if err != nil {
			return fmt.Errorf("read data of runs: %w", err)
		}
		return nil
	}
	var n int64
	err := each(`SELECT run, key, value, is_nan, timestamp, step FROM latest_metrics WHERE run IN (SELECT value FROM json_each(?))`,
		func(rows *sql.Rows) error {
			m, err := scanMetric(rows, &n)
			d := &runs[at[n]].Data
			d.Metrics = append(d.Metrics, m)
			return err
		})
	if err != nil {
		return err
	}
	err = each(`SELECT run, key, value FROM params WHERE run IN (SELECT value FROM json_each(?))`, func(rows *sql.Rows) error {
		var p registry.Param
		err := rows.Scan(&n, &p.Key, &p.Value)
		d := &runs[at[n]].Data
		d.Params = append(d.Params, p)
		return err
	})
	if err != nil {
		return err
	}
	err = each(`SELECT run, key, value FROM tags WHERE run IN (SELECT value FROM json_each(?))`, func(rows *sql.Rows) error {
		var t registry.Tag
		err := rows.Scan(&n, &t.Key, &t.Value)
		d := &runs[at[n]].Data
		d.Tags = append(d.Tags, t)
		return err
	})
	if err != nil {
		return err
	}
	if err := readDatasets(each, at, runs); err != nil {
		return err
	}
	err = each(`SELECT run, model FROM model_inputs WHERE run IN (SELECT value FROM json_each(?))`, func(rows *sql.Rows) error {
		var m registry.ModelInput
		err := rows.Scan(&n, &m.ModelID)
		in := &runs[at[n]].Inputs
		in.Models = append(in.Models, m)
		return err
	})
	if err != nil {
		return err
	}
	return each(`SELECT run, model, step FROM model_outputs WHERE run IN (SELECT value FROM json_each(?))`, func(rows *sql.Rows) error {
		var m registry.ModelOutput
		err := rows.Scan(&n, &m.ModelID, &m.Step)
		out := &runs[at[n]].Outputs
		out.Models = append(out.Models, m)
		return err
	})
}

// readDatasets fills in the datasets of runs with their tags.
func readDatasets(each func(string, func(*sql.Rows) error) error, at map[int64]int, runs []registry.Run) error {
	type input struct{ run, dataset int64 }
	indexes := map[input]int{}
	err := each(`SELECT i.run, i.dataset, d.name, d.digest, d.source_type, d.source, d.schema, d.profile
		FROM dataset_inputs i JOIN datasets d ON d.n = i.dataset WHERE i.run IN (SELECT value FROM json_each(?)) ORDER BY i.run, i.dataset`,
		func(rows *sql.Rows) error {
			var i input
			var d registry.Dataset
			if err := rows.Scan(&i.run, &i.dataset, &d.Name, &d.Digest, &d.SourceType, &d.Source, &d.Schema, &d.Profile); err != nil {
				return err
			}
			in := &runs[at[i.run]].Inputs
			indexes[i] = len(in.Datasets)
			in.Datasets = append(in.Datasets, registry.DatasetInput{Dataset: d})
			return nil
		})
	if err != nil || len(indexes) == 0 {
		return err
	}
	return each(`SELECT run, dataset, key, value FROM dataset_input_tags WHERE run IN (SELECT value FROM json_each(?))`,
		func(rows *sql.Rows) error {
			var i input
			var t registry.Tag
			err := rows.Scan(&i.run, &i.dataset, &t.Key, &t.Value)
			in := &runs[at[i.run]].Inputs.Datasets[indexes[i]]
			in.Tags = append(in.Tags, t)
			return err
		})
}

// scanMetric reads the columns owner, key, value, is_nan, timestamp, step.
func scanMetric(rows *sql.Rows, owner any) (m registry.Metric, err error) {
	var isNaN bool
	err = rows.Scan(owner, &m.Key, &m.Value, &isNaN, &m.Timestamp, &m.Step)
	if isNaN {
		m.Value = math.NaN()
	}
	return m, err
}
