package mlflowstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/taximeter/taximeter/registry"
)

// Runs implements registry.Archive.
func (f *folder) Runs(ctx context.Context, experimentID string, do func(registry.ArchivedRun) error) error {
	dir := f.experiments[experimentID]
	for _, name := range folders(dir) {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if name == "tags" || name == "datasets" || name == modelsFolder || name == "traces" || strings.HasPrefix(name, ".") {
			continue
		}
		r, err := f.readRun(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // a folder without meta.yaml is no run
		}
		if err != nil {
			return fmt.Errorf("read run %s: %w", name, err)
		}
		r.Info.ExperimentID = experimentID
		if err := do(r); err != nil {
			return err
		}
	}
	return nil
}

func (f *folder) readRun(dir string) (r registry.ArchivedRun, err error) {
	var y struct {
		ID      string             `yaml:"run_id"`
		UUID    string             `yaml:"run_uuid"` // its name before
		Name    string             `yaml:"run_name"`
		User    string             `yaml:"user_id"`
		Status  int                `yaml:"status"`
		Start   int64              `yaml:"start_time"`
		End     int64              `yaml:"end_time"`
		Stage   registry.Lifecycle `yaml:"lifecycle_stage"`
		Deleted int64              `yaml:"deleted_time"`
		URI     string             `yaml:"artifact_uri"`
	}
	if err = readMeta(dir, &y); err != nil {
		return r, err
	}
	if y.ID == "" {
		y.ID = y.UUID
	}
	status, err := numbered(statuses, y.Status, "status")
	if err != nil {
		return r, err
	}
	f.mayHaveMoved(y.URI, filepath.Join(dir, "artifacts"))
	r.Info = registry.RunInfo{RunID: y.ID, RunUUID: y.ID, RunName: y.Name, UserID: y.User, Status: status, StartTime: y.Start, EndTime: y.End,
		ArtifactURI: y.URI, Lifecycle: y.Stage}
	r.DeletedTime = y.Deleted
	if r.Data.Params, err = readParams(filepath.Join(dir, "params")); err != nil {
		return r, err
	}
	if r.Data.Tags, err = readTags(filepath.Join(dir, "tags")); err != nil {
		return r, err
	}
	if name, ok := registry.FindTag(r.Data.Tags, registry.TagRunName); ok && r.Info.RunName == "" {
		r.Info.RunName = name
	}
	r.Points = func(do func([]registry.Metric) error) error {
		return texts(filepath.Join(dir, "metrics"), func(key, text string) error {
			points, err := readPoints(key, text, false)
			if err != nil {
				return err
			}
			return do(points)
		})
	}
	return r, f.readInputs(dir, &r)
}

// link is the meta.yaml of an input or output.
type link struct {
	Kind   string            `yaml:"source_type"`
	Source string            `yaml:"source_id"`
	Target string            `yaml:"destination_id"`
	Step   int64             `yaml:"step"`
	Tags   map[string]string `yaml:"tags"`
}

func (f *folder) readInputs(dir string, r *registry.ArchivedRun) error {
	for _, name := range folders(filepath.Join(dir, "inputs")) {
		var l link
		if err := readMeta(filepath.Join(dir, "inputs", name), &l); err != nil {
			return err
		}
		if l.Kind != "DATASET" {
			r.Inputs.Models = append(r.Inputs.Models, registry.ModelInput{ModelID: l.Source})
			continue
		}
		var d struct {
			Name    string `yaml:"name"`
			Digest  string `yaml:"digest"`
			Kind    string `yaml:"source_type"`
			Source  string `yaml:"source"`
			Schema  string `yaml:"schema"`
			Profile string `yaml:"profile"`
		}
		if err := readMeta(filepath.Join(filepath.Dir(dir), "datasets", l.Source), &d); err != nil {
			return err
		}
		in := registry.DatasetInput{Dataset: registry.Dataset{Name: d.Name, Digest: d.Digest, SourceType: d.Kind, Source: d.Source, Schema: d.Schema, Profile: d.Profile}}
		for key, value := range l.Tags {
			in.Tags = append(in.Tags, registry.Tag{Key: key, Value: value})
		}
		r.Inputs.Datasets = append(r.Inputs.Datasets, in)
	}
	for _, name := range folders(filepath.Join(dir, "outputs")) {
		var l link
		if err := readMeta(filepath.Join(dir, "outputs", name), &l); err != nil {
			return err
		}
		r.Outputs.Models = append(r.Outputs.Models, registry.ModelOutput{ModelID: l.Target, Step: l.Step})
	}
	return nil
}

// readPoints reads lines of "timestamp value [step [dataset digest]]", those of a
// logged model having the run's id before the dataset.
func readPoints(key, text string, ofModel bool) ([]registry.Metric, error) {
	var points []registry.Metric
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		if len(fields) < 2 {
			return nil, fmt.Errorf("metric %s: no point: %q", key, line)
		}
		m := registry.Metric{Key: key}
		var err error
		if m.Timestamp, err = strconv.ParseInt(fields[0], 10, 64); err == nil {
			m.Value, err = strconv.ParseFloat(fields[1], 64)
		}
		if err == nil && len(fields) > 2 {
			m.Step, err = strconv.ParseInt(fields[2], 10, 64)
		}
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return nil, fmt.Errorf("metric %s: %w", key, err)
		}
		rest := fields[min(3, len(fields)):]
		if ofModel && len(rest) > 0 {
			m.RunID, rest = rest[0], rest[1:]
		}
		if len(rest) >= 2 {
			m.DatasetName, m.DatasetDigest = rest[0], rest[1]
		}
		points = append(points, m)
	}
	return points, nil
}

// LoggedModels implements registry.Archive.
func (f *folder) LoggedModels(_ context.Context, experimentID string) ([]registry.ArchivedLoggedModel, error) {
	var found []registry.ArchivedLoggedModel
	root := filepath.Join(f.experiments[experimentID], modelsFolder)
	for _, name := range folders(root) {
		m, err := f.readLoggedModel(filepath.Join(root, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read logged model %s: %w", name, err)
		}
		m.Info.ExperimentID = experimentID
		found = append(found, m)
	}
	return found, nil
}

func (f *folder) readLoggedModel(dir string) (m registry.ArchivedLoggedModel, err error) {
	var y struct {
		ID       string             `yaml:"model_id"`
		Name     string             `yaml:"name"`
		Kind     string             `yaml:"model_type"`
		Run      string             `yaml:"source_run_id"`
		Status   int                `yaml:"status"`
		Created  int64              `yaml:"creation_timestamp"`
		Updated  int64              `yaml:"last_updated_timestamp"`
		Location string             `yaml:"artifact_location"`
		Stage    registry.Lifecycle `yaml:"lifecycle_stage"`
	}
	if err = readMeta(dir, &y); err != nil {
		return m, err
	}
	f.mayHaveMoved(y.Location, filepath.Join(dir, "artifacts"))
	m.Info = registry.LoggedModelInfo{ModelID: y.ID, Name: y.Name, ModelType: y.Kind, SourceRunID: y.Run, CreationTime: y.Created, LastUpdateTime: y.Updated, ArtifactURI: y.Location}
	if m.Lifecycle = y.Stage; m.Lifecycle == "" {
		m.Lifecycle = registry.Active
	}
	if m.Info.Status, err = numbered(modelStatuses, y.Status, "status"); err != nil {
		return m, err
	}
	if m.Data.Params, err = readParams(filepath.Join(dir, "params")); err != nil {
		return m, err
	}
	if m.Info.Tags, err = readTags(filepath.Join(dir, "tags")); err != nil {
		return m, err
	}
	return m, texts(filepath.Join(dir, "metrics"), func(key, text string) error {
		points, err := readPoints(key, text, true)
		m.Data.Metrics = append(m.Data.Metrics, points...)
		return err
	})
}
