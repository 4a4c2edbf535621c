package mlflowstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/taximeter/taximeter/registry"
)

// folder is a folder such as mlruns: a folder for each experiment with one for
// each run in it, .trash with deleted experiments, and models, the registry.
type folder struct {
	places
	root        string
	experiments map[string]string // folders, by id
	moved       map[string]string // folders with artifacts, by the URIs that no longer lead there
}

const trash, modelsFolder, meta = ".trash", "models", "meta.yaml"

func openFolder(path string, where places) (*folder, error) {
	f := &folder{places: where, root: path, experiments: map[string]string{}, moved: map[string]string{}}
	for _, parent := range []string{path, filepath.Join(path, trash)} {
		for _, name := range folders(parent) {
			if _, err := os.Stat(filepath.Join(parent, name, meta)); err == nil && name != modelsFolder && name != trash {
				f.experiments[name] = filepath.Join(parent, name)
			}
		}
	}
	if len(f.experiments) == 0 {
		return nil, fmt.Errorf("open %s: %w", path, errNotMLflow)
	}
	return f, nil
}

func (f *folder) Close() error { return nil }

// mayHaveMoved remembers where artifacts are if the URI does not lead to them: a
// folder that was moved keeps the old place in its URIs.
func (f *folder) mayHaveMoved(uri, folder string) {
	if f.places.Artifacts(uri) == nil && f.places.Artifacts(folder) != nil {
		f.moved[uri] = folder
	}
}

// Artifacts implements registry.Archive.
func (f *folder) Artifacts(uri string) fs.FS {
	if folder, ok := f.moved[uri]; ok {
		uri = folder
	}
	return f.places.Artifacts(uri)
}

// folders returns the names of the folders in a folder, sorted.
func folders(path string) (names []string) {
	entries, _ := os.ReadDir(path) // what is not there has none
	for _, e := range entries {
		if e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names
}

// readMeta reads the meta.yaml of a folder.
func readMeta(dir string, into any) error {
	path := filepath.Join(dir, meta)
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := yaml.Unmarshal(text, into); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

// texts gives the files of a folder and all below it to do: a key may have
// slashes. A folder that is not there has none.
func texts(dir string, do func(key, text string) error) error {
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		key, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		return do(filepath.ToSlash(key), string(text))
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// readTags reads a folder with a file for each tag or param.
func readTags(dir string) (tags []registry.Tag, err error) {
	err = texts(dir, func(key, text string) error {
		tags = append(tags, registry.Tag{Key: key, Value: text})
		return nil
	})
	return tags, err
}

func readParams(dir string) (params []registry.Param, err error) {
	tags, err := readTags(dir)
	for _, t := range tags {
		params = append(params, registry.Param(t))
	}
	return params, err
}

// Experiments implements registry.Archive.
func (f *folder) Experiments(context.Context) ([]registry.Experiment, error) {
	var found []registry.Experiment
	for id, dir := range f.experiments {
		var m struct {
			Name     string             `yaml:"name"`
			Location string             `yaml:"artifact_location"`
			Stage    registry.Lifecycle `yaml:"lifecycle_stage"`
			Created  int64              `yaml:"creation_time"`
			Updated  int64              `yaml:"last_update_time"`
		}
		err := readMeta(dir, &m)
		e := registry.Experiment{ID: id, Name: m.Name, ArtifactLocation: m.Location, Lifecycle: m.Stage, CreationTime: m.Created, LastUpdateTime: m.Updated}
		if filepath.Base(filepath.Dir(dir)) == trash {
			e.Lifecycle = registry.Deleted
		}
		if err == nil {
			e.Tags, err = readTags(filepath.Join(dir, "tags"))
		}
		if err != nil {
			return nil, fmt.Errorf("read experiment %s: %w", id, err)
		}
		found = append(found, e)
	}
	slices.SortFunc(found, func(a, b registry.Experiment) int { return strings.Compare(a.ID, b.ID) })
	return found, nil
}

// RegisteredModels implements registry.Archive.
func (f *folder) RegisteredModels(context.Context) ([]registry.ArchivedModel, error) {
	var found []registry.ArchivedModel
	root := filepath.Join(f.root, modelsFolder)
	for _, name := range folders(root) {
		m, err := readModel(filepath.Join(root, name))
		if err != nil {
			return nil, fmt.Errorf("read registered model %s: %w", name, err)
		}
		found = append(found, m)
	}
	return found, nil
}

func readModel(dir string) (m registry.ArchivedModel, err error) {
	var y struct {
		Name        string `yaml:"name"`
		Description string `yaml:"description"`
		Created     int64  `yaml:"creation_timestamp"`
		Updated     int64  `yaml:"last_updated_timestamp"`
	}
	if err = readMeta(dir, &y); err != nil {
		return m, err
	}
	m.Name, m.Description, m.CreationTime, m.LastUpdateTime = y.Name, y.Description, y.Created, y.Updated
	if m.Tags, err = readTags(filepath.Join(dir, "tags")); err != nil {
		return m, err
	}
	aliases, err := readTags(filepath.Join(dir, "aliases"))
	if err != nil {
		return m, err
	}
	for _, a := range aliases {
		m.Aliases = append(m.Aliases, registry.Alias{Alias: a.Key, Version: a.Value})
	}
	for _, name := range folders(dir) {
		if !strings.HasPrefix(name, "version-") {
			continue
		}
		v, err := readVersion(filepath.Join(dir, name))
		if err != nil {
			return m, err
		}
		m.Versions = append(m.Versions, v)
	}
	slices.SortFunc(m.Versions, func(a, b registry.ArchivedVersion) int { return a.Number() - b.Number() })
	return m, nil
}

func readVersion(dir string) (v registry.ArchivedVersion, err error) {
	var y struct {
		Name        string         `yaml:"name"`
		Version     string         `yaml:"version"`
		Created     int64          `yaml:"creation_timestamp"`
		Updated     int64          `yaml:"last_updated_timestamp"`
		Description string         `yaml:"description"`
		Stage       registry.Stage `yaml:"current_stage"`
		Source      string         `yaml:"source"`
		RunID       string         `yaml:"run_id"`
		RunLink     string         `yaml:"run_link"`
		ModelID     string         `yaml:"model_id"`
		Location    string         `yaml:"storage_location"`
	}
	if err = readMeta(dir, &y); err != nil {
		return v, err
	}
	v.ModelVersion = registry.ModelVersion{Name: y.Name, Version: y.Version, CreationTime: y.Created, LastUpdateTime: y.Updated, Description: y.Description,
		CurrentStage: y.Stage, Source: y.Source, RunID: y.RunID, RunLink: y.RunLink, ModelID: y.ModelID}
	v.Deleted, v.Location = y.Stage == deletedVersion, y.Location
	if v.Location == "" {
		v.Location = y.Source
	}
	v.Tags, err = readTags(filepath.Join(dir, "tags"))
	return v, err
}
