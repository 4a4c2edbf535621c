package models

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/taximeter/taximeter/features"
	"github.com/taximeter/taximeter/features/matrix"
)

// Names of files in a model directory.
const (
	MLmodelFile    = "MLmodel"         // says what the directory holds
	ModelFile      = "model.json"      // the regressor, in XGBoost's JSON
	VectorizerFile = "vectorizer.json" // what makes its columns
	ExampleFile    = "input_example.json"
)

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

// Files returns the model as the files of an MLflow model directory, which
// mlflow.xgboost.load_model opens. ModelFile and VectorizerFile depend on the
// model alone. MLmodelFile comes last: written in this order, a directory that
// has it is whole.
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
	example, err := m.exampleJSON(card.Examples)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", ExampleFile, err)
	}
	card = card.filled(written.uuid)
	files := []File{
		{ModelFile, written.model},
		{VectorizerFile, written.vectorizer},
		{ExampleFile, example},
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
	return c
}

func (m *Model) modelJSON() ([]byte, error) {
	var b bytes.Buffer
	var err error
	if m.Kind == Linear {
		err = m.Linear.WriteJSON(&b)
	} else {
		b.Grow(m.nodes() * 80) // about what it takes
		err = m.Trees.WriteJSON(&b, nil)
	}
	return b.Bytes(), err
}

// nodes is how many nodes the trees have.
func (m *Model) nodes() (n int) {
	for i := range m.Trees.Trees {
		n += len(m.Trees.Trees[i].Nodes)
	}
	return n
}

// preprocessor is the content of VectorizerFile.
type preprocessor struct {
	Features   features.Encoding  `json:"features"`
	Vectorizer *matrix.Vectorizer `json:"vectorizer"`
}

func (m *Model) vectorizerJSON() ([]byte, error) {
	encoding, err := features.ParseEncoding(string(m.Encoding)) // "" has a name
	if err != nil {
		return nil, err
	}
	return json.Marshal(preprocessor{encoding, m.Vectorizer})
}

// exampleJSON is a sparse matrix as MLflow stores one.
func (m *Model) exampleJSON(rides []features.Ride) ([]byte, error) {
	if rides == nil {
		rides = []features.Ride{{PULocationID: 43, DOLocationID: 151, TripDistance: 1.01}}
	}
	x, err := m.Vectorizer.Transform(features.FromRides(m.Encoding, rides))
	if err != nil {
		return nil, err
	}
	csr := struct {
		Data    []float64 `json:"data"`
		Indices []int32   `json:"indices"`
		Indptr  []int     `json:"indptr"`
		Shape   [2]int    `json:"shape"`
	}{Data: []float64{}, Indices: []int32{}, Indptr: []int{0}, Shape: [2]int{x.Rows, x.Width}}
	for row := range x.Rows {
		csr.Indices, csr.Data = x.AppendRow(row, csr.Indices, csr.Data)
		csr.Indptr = append(csr.Indptr, len(csr.Indices))
	}
	return json.Marshal(csr)
}
