package models

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/goccy/go-yaml"

	"github.com/taximeter/taximeter/features"
	"github.com/taximeter/taximeter/models/gbt"
	"github.com/taximeter/taximeter/models/linear"
	"github.com/taximeter/taximeter/models/xgbfile"
)

// Load reads a model directory that Files wrote, or that mlflow logged with a
// VectorizerFile beside. An error names the file that
// is missing (errors.Is fs.ErrNotExist) or broken, and says in what way.
func Load(fsys fs.FS) (*Model, error) {
	about, err := readMLmodel(fsys)
	if err != nil {
		return nil, fmt.Errorf("load model: %w", err)
	}
	vectorizer, err := fs.ReadFile(fsys, VectorizerFile)
	if err != nil {
		return nil, fmt.Errorf("load model: %w", err)
	}
	regressor, err := fs.ReadFile(fsys, about.Flavors.XGBoost.Data)
	if err != nil {
		return nil, fmt.Errorf("load model: %w", err)
	}
	m, err := read(about.Metadata.Kind, about.Flavors.XGBoost.Data, regressor, vectorizer)
	if err != nil {
		return nil, fmt.Errorf("load model: %w", err)
	}
	return m, nil
}

// mlmodel is what Load needs of an MLmodel file.
type mlmodel struct {
	Flavors struct {
		XGBoost *struct {
			Data string `yaml:"data"`
		} `yaml:"xgboost"`
	} `yaml:"flavors"`
	Metadata struct {
		Kind string `yaml:"kind"`
	} `yaml:"metadata"`
}

func readMLmodel(fsys fs.FS) (mlmodel, error) {
	var about mlmodel
	text, err := fs.ReadFile(fsys, MLmodelFile)
	if err != nil {
		return about, err
	}
	if err := yaml.Unmarshal(text, &about); err != nil {
		return about, fmt.Errorf("%s: %w", MLmodelFile, err)
	}
	if about.Flavors.XGBoost == nil || about.Flavors.XGBoost.Data == "" {
		return about, fmt.Errorf("%s: it has no xgboost flavor with data", MLmodelFile)
	}
	if !fs.ValidPath(about.Flavors.XGBoost.Data) {
		return about, fmt.Errorf("%s: data %q is outside the directory", MLmodelFile, about.Flavors.XGBoost.Data)
	}
	return about, nil
}

// read puts a model together from the contents of its two files. The kind may
// be "", and the name of the regressor's file is for errors.
func read(kind, name string, regressor, vectorizer []byte) (*Model, error) {
	var p preprocessor
	if err := json.Unmarshal(vectorizer, &p); err != nil {
		return nil, fmt.Errorf("%s: %w", VectorizerFile, err)
	}
	if p.Vectorizer == nil {
		return nil, fmt.Errorf("%s: it holds no vectorizer", VectorizerFile)
	}
	encoding, err := features.ParseEncoding(string(p.Features))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", VectorizerFile, err)
	}
	m := &Model{Kind: kind, Encoding: encoding, Vectorizer: p.Vectorizer}
	if m.Kind == "" {
		if m.Kind, err = kindOf(regressor); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	switch m.Kind {
	case Linear:
		m.Linear, err = linear.Read(bytes.NewReader(regressor))
	case GBT:
		m.Trees, err = gbt.Read(bytes.NewReader(regressor))
	default:
		err = fmt.Errorf("unknown kind of model %q", m.Kind)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return checked(m)
}

// kindOf tells by the booster that XGBoost's JSON or UBJSON names.
func kindOf(regressor []byte) (string, error) {
	name, err := xgbfile.Booster(regressor)
	if err != nil {
		return "", err
	}
	switch name {
	case "gblinear":
		return Linear, nil
	case "gbtree":
		return GBT, nil
	case "":
		return "", errors.New("it is no model in XGBoost's JSON or UBJSON")
	default:
		return "", fmt.Errorf("booster %q is not supported", name)
	}
}
