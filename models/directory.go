package models

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/taximeter/taximeter/features"
	"github.com/taximeter/taximeter/features/matrix"
	"github.com/taximeter/taximeter/models/gbt"
)

// Names of files in a model directory.
const (
	MLmodelFile    = "MLmodel"         // says what the directory holds
	ModelFile      = "model.json"      // the regressor, in XGBoost's JSON
	VectorizerFile = "vectorizer.json" // what makes its columns
	ExampleFile    = "input_example.json"

	codeDir     = "code" // of what MLflow's python_function flavor imports
	codeModule  = "taximeter_model"
	servingFile = "serving_input_example.json" // the example as a scoring server is sent it
)

//go:embed python/taximeter_model.py
var pythonCode []byte

// Card is what a model directory says about the model beyond the model itself.
// The zero Card is valid.
type Card struct {
	RunID         string          // tracked run that made the model; "": not said
	ModelID       string          // MLflow 3's logged model, "m-" and 32 hex digits; "": none
	ModelUUID     string          // "": ModelID, or else made from the model's bytes
	ArtifactPath  string          // "": "model"
	CreatedAt     time.Time       // zero: not said
	MLflowVersion string          // "": the version this layout was checked with, 3.17.2
	Examples      []features.Ride // nil: one ride, from zone 43 to 151, 1.01 miles
}

// File is one file of a model directory.
type File struct {
	Name  string
	Bytes []byte // not to be changed
}

// contents are the files that depend on the model alone.
type contents struct {
	model, vectorizer []byte
	uuid              string // made from them
}

// Prepare begins to write the model's files in the background, for a caller who
// will soon ask for them with Files: the trees of 100 rounds take a core some 40 ms.
// The Model keeps what was written.
func (m *Model) Prepare() {
	if m.contents == nil {
		m.contents = sync.OnceValues(m.write)
		go m.contents()
	}
}

func (m *Model) write() (c contents, err error) {
	if c.model, err = m.modelJSON(); err != nil {
		return c, fmt.Errorf("write %s: %w", ModelFile, err)
	}
	if c.vectorizer, err = m.vectorizerJSON(); err != nil {
		return c, fmt.Errorf("write %s: %w", VectorizerFile, err)
	}
	hash := sha256.New()
	hash.Write(c.model)
	hash.Write(c.vectorizer)
	c.uuid = hex.EncodeToString(hash.Sum(nil)[:16])
	return c, nil
}

// Files returns the model as the files of an MLflow model directory.
// mlflow.pyfunc.load_model opens it as a model of rides, by the Python beside
// it, and mlflow.xgboost.load_model as one of the vectorizer's matrices.
// ModelFile and VectorizerFile depend on the model alone. MLmodelFile comes
// last: written in this order, a directory that has it is whole.
//
// XGBoost needs no names of features to predict, and none are stored: with
// names, it would refuse the sparse matrix that a vectorizer makes, which has
// none.
func (m *Model) Files(card Card) ([]File, error) {
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("write model: %w", err)
	}
	write := m.write
	if m.contents != nil {
		write = m.contents
	}
	written, err := write()
	if err != nil {
		return nil, err
	}
	card = card.filled(written.uuid)
	example, serving, err := exampleJSON(card.Examples)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", ExampleFile, err)
	}
	files := []File{
		{ModelFile, written.model},
		{VectorizerFile, written.vectorizer},
		{codeDir + "/" + codeModule + ".py", pythonCode},
		{ExampleFile, example},
		{servingFile, serving},
		{"requirements.txt", []byte(card.requirements())},
		{"python_env.yaml", []byte(pythonEnv)},
		{"conda.yaml", []byte(card.conda())},
	}
	size := 0
	for _, f := range files {
		size += len(f.Bytes)
	}
	return append(files, File{MLmodelFile, []byte(card.mlmodel(m, size))}), nil
}

// filled puts the defaults in.
func (c Card) filled(uuid string) Card {
	c.ModelUUID = cmp.Or(c.ModelUUID, c.ModelID, uuid)
	if c.ArtifactPath == "" {
		c.ArtifactPath = "model"
	}
	if c.MLflowVersion == "" {
		c.MLflowVersion = mlflowVersion
	}
	if c.Examples == nil {
		c.Examples = []features.Ride{{PULocationID: 43, DOLocationID: 151, TripDistance: 1.01}}
	}
	return c
}

func (m *Model) modelJSON() ([]byte, error) {
	if m.Kind == GBT {
		return m.Trees.Append(nil, gbt.Format{})
	}
	var b bytes.Buffer
	err := m.Linear.WriteJSON(&b)
	return b.Bytes(), err
}

// preprocessor is the content of VectorizerFile, which vectorizerJSON writes.
type preprocessor struct {
	Features   features.Encoding  `json:"features"`
	Vectorizer *matrix.Vectorizer `json:"vectorizer"`
}

func (m *Model) vectorizerJSON() ([]byte, error) {
	encoding, err := features.ParseEncoding(string(m.Encoding)) // "" has a name
	if err != nil {
		return nil, err
	}
	b := append([]byte(`{"features":`), quote(string(encoding))...)
	if b, err = m.Vectorizer.AppendJSON(append(b, `,"vectorizer":`...)); err != nil {
		return nil, err
	}
	return append(b, '}'), nil
}

// exampleJSON is a table of rides as MLflow stores one, and as it is posted.
func exampleJSON(rides []features.Ride) (example, serving []byte, err error) {
	table := struct {
		Columns []string `json:"columns"`
		Data    [][]any  `json:"data"`
	}{Data: [][]any{}}
	for _, c := range rideColumns {
		table.Columns = append(table.Columns, c.Name)
	}
	for _, r := range rides {
		row := []any{r.PULocationID, r.DOLocationID, r.TripDistance} // what is missing is null
		for i, zone := range []int32{r.PULocationID, r.DOLocationID} {
			if zone < 0 {
				row[i] = nil
			}
		}
		if math.IsNaN(r.TripDistance) {
			row[2] = nil
		}
		table.Data = append(table.Data, row)
	}
	if example, err = json.Marshal(table); err != nil {
		return nil, nil, err
	}
	serving, err = json.Marshal(map[string]any{"dataframe_split": table})
	return example, serving, err
}
