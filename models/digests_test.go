package models

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/data"
	"github.com/taximeter/taximeter/features"
	"github.com/taximeter/taximeter/features/matrix"
	"github.com/taximeter/taximeter/models/gbt"
)

// digests is testdata/digests.json: what XGBoost made of synthesised months, see
// make_digests.py.
type digests struct {
	Rows     int
	Seed     uint64
	Arrays   []string
	Problems []struct {
		Train, Valid data.Month
		Shape        string
		Matrix       string
		Fits         []digestedFit
	}
}

type digestedFit struct {
	Params struct {
		LearningRate   float64 `json:"learning_rate"`
		MaxDepth       int     `json:"max_depth"`
		MinChildWeight float64 `json:"min_child_weight"`
		Gamma          float64
		RegAlpha       float64 `json:"reg_alpha"`
		RegLambda      float64 `json:"reg_lambda"`
		BaseScore      any     `json:"base_score"` // a number, or "mean"
		Rounds         int
		EarlyStopping  int `json:"early_stopping"`
	}
	BaseScore     float32 `json:"base_score"`
	RMSE          []float64
	BestIteration int `json:"best_iteration"`
	Trees         []string
}

func (f digestedFit) params(t *testing.T) gbt.Params {
	p := f.Params
	base := math.NaN()
	if v, ok := p.BaseScore.(float64); ok {
		base = v
	} else if p.BaseScore != "mean" {
		t.Fatalf("base_score %v", p.BaseScore)
	}
	return gbt.Params{
		LearningRate: p.LearningRate, MaxDepth: p.MaxDepth, MinChildWeight: p.MinChildWeight, Gamma: p.Gamma,
		RegAlpha: p.RegAlpha, RegLambda: p.RegLambda, BaseScore: base, Rounds: p.Rounds, EarlyStopping: p.EarlyStopping,
	}
}

// From rides to trees, everything equals what pandas, scikit-learn and XGBoost
// make of the same months.
func TestTreesEqualXGBoostOnSynthesisedMonths(t *testing.T) {
	text, err := os.ReadFile("testdata/digests.json")
	if err != nil {
		t.Fatal(err)
	}
	var d digests
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	months := map[data.Month]*data.Trips{}
	for _, p := range d.Problems {
		for _, m := range []data.Month{p.Train, p.Valid} {
			if months[m] == nil {
				months[m] = synthesised(t, data.Synth{Month: m, Rows: d.Rows, Seed: d.Seed})
			}
		}
		t.Run(p.Train.String()+" "+p.Shape, func(t *testing.T) {
			train, valid := shaped(t, p.Shape, months[p.Train], months[p.Valid])
			if got := matrixDigest(train); got != p.Matrix {
				t.Fatalf("%s: the matrix to train on has digest %s, want %s: the month or its encoding differs", p.Shape, got, p.Matrix)
			}
			for i, f := range p.Fits {
				checkDigests(t, fmt.Sprintf("%s, fit %d", p.Shape, i), d.Arrays, f, train, valid)
			}
		})
	}
	if len(d.Problems) == 0 || len(d.Arrays) != 8 {
		t.Fatalf("%d problems, arrays %v", len(d.Problems), d.Arrays)
	}
}

func checkDigests(t *testing.T, name string, arrays []string, want digestedFit, train, valid gbt.Set) {
	t.Helper()
	var log []float64
	e, err := gbt.Fit(t.Context(), train, []gbt.Set{valid}, want.params(t), func(r gbt.Round) error {
		log = append(log, r.Metrics[0])
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if e.BaseScore != want.BaseScore || e.BestIteration != want.BestIteration || len(e.Trees) != len(want.Trees) {
		t.Errorf("%s: base score %v, best iteration %d of %d, want %v, %d of %d",
			name, e.BaseScore, e.BestIteration, len(e.Trees), want.BaseScore, want.BestIteration, len(want.Trees))
		return
	}
	for i := range e.Trees {
		got, want := treeDigests(&e.Trees[i]), strings.Fields(want.Trees[i])
		for a, array := range arrays {
			if got[a] != want[a] {
				t.Errorf("%s: tree %d of %d: its %s have digest %s, want %s", name, i, len(e.Trees), array, got[a], want[a])
			}
		}
		if !slices.Equal(got, want) {
			return // later trees rest on this one
		}
	}
	for i, got := range log {
		if want := want.RMSE[i]; !(math.Abs(got-want) <= 1e-12) {
			t.Errorf("%s: round %d: rmse %.17g, want %.17g", name, i, got, want)
		}
	}
}

// synthesised returns the rides of a made-up month that are kept.
func synthesised(t *testing.T, s data.Synth) *data.Trips {
	t.Helper()
	var b bytes.Buffer
	if err := s.Write(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), data.FileName(data.Green, s.Month))
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	all, err := data.ReadTrips(context.Background(), data.File{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	kept, _ := all.Kept()
	return kept
}

// shaped returns two months as the design matrices that make_digests.py calls by
// that name.
func shaped(t *testing.T, shape string, train, valid *data.Trips) (gbt.Set, gbt.Set) {
	t.Helper()
	shape, _, missing := strings.Cut(shape, ", distances ")
	columns := func(trips *data.Trips) []matrix.Column {
		if shape != "numbers" {
			return features.FromTrips(features.Encoding(shape), trips)
		}
		ids := features.FromTrips(features.IDs, trips)
		since := matrix.Values{Name: "since_midnight", Values: make([]float64, trips.Len())}
		for i := range since.Values {
			const minute = 60e6
			since.Values[i] = float64(trips.Pickup(i) / minute % (24 * 60))
		}
		return []matrix.Column{ids[0], since, ids[2]}
	}
	var vectorizer *matrix.Vectorizer
	set := func(trips *data.Trips) gbt.Set {
		all := columns(trips)
		if missing {
			distance := all[len(all)-1].(matrix.Values)
			distance.Values = slices.Clone(distance.Values)
			for i := 3; i < len(distance.Values); i += 7 {
				distance.Values[i] = math.NaN()
			}
			all[len(all)-1] = distance
		}
		var err error
		if vectorizer == nil {
			if vectorizer, err = matrix.Fit(all); err != nil {
				t.Fatal(err)
			}
		}
		s := gbt.Set{Name: shape}
		if s.X, err = vectorizer.Transform(all); err != nil {
			t.Fatal(err)
		}
		for i := range trips.Len() {
			s.Y = append(s.Y, trips.Minutes(i))
		}
		return s
	}
	return set(train), set(valid)
}

// hashed is the digest of numbers of 4 bytes.
type hashed []byte

func (h *hashed) int(v int32)     { *h = binary.LittleEndian.AppendUint32(*h, uint32(v)) }
func (h *hashed) float(v float32) { *h = binary.LittleEndian.AppendUint32(*h, math.Float32bits(v)) }
func (h *hashed) String() string {
	sum := sha256.Sum256(*h)
	return hex.EncodeToString(sum[:4])
}

// treeDigests are those of a tree's arrays.
func treeDigests(tree *gbt.Tree) []string {
	var left, right, features, thresholds, defaults, leaves, weights, gains, hessians hashed
	for _, n := range tree.Nodes {
		left.int(n.Left)
		right.int(n.Right)
		features.int(n.Feature)
		if n.Leaf() {
			leaves.float(n.Value)
		} else {
			thresholds.float(n.Value)
		}
		if n.DefaultLeft {
			defaults.int(1)
		} else {
			defaults.int(0)
		}
		weights.float(n.BaseWeight)
		gains.float(n.LossChange)
		hessians.float(n.SumHessian)
	}
	children := append(left, right...)
	var all []string
	for _, h := range []*hashed{&children, &features, &thresholds, &defaults, &leaves, &weights, &gains, &hessians} {
		all = append(all, h.String())
	}
	return all
}

// matrixDigest is that of the matrix as scipy's CSR, and of the labels.
func matrixDigest(s gbt.Set) string {
	var starts, columns, values, labels hashed
	var c []int32
	var v []float64
	stored := int32(0)
	starts.int(0)
	for row := range s.X.Rows {
		c, v = s.X.AppendRow(row, c[:0], v[:0])
		for i := range c {
			columns.int(c[i])
			values.float(float32(v[i]))
		}
		stored += int32(len(c))
		starts.int(stored)
		labels.float(float32(s.Y[row]))
	}
	all := slices.Concat(starts, columns, values, labels)
	return all.String()
}
