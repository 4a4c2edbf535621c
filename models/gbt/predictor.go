package gbt

import (
	"fmt"
	"runtime"
	"slices"

	"github.com/taximeter/taximeter/features/matrix"
)

// Predictor is an ensemble compiled for matrices of one layout. It predicts
// what the ensemble does, bit for bit.
//
// Trees only ask in which level of a block a row is, and between which
// thresholds its numbers lie. With all of that fixed but one number, the inner
// one, an ensemble is a step function of that number. The Predictor keeps
// pieces of such functions, pieces, and finds a row's by hashing what is fixed.
// A piece is made when a row first needs it, which costs less than to walk that
// one row down every tree does otherwise. So nothing is made that no one asks
// for, and the memory is bounded: to 64 MB of pieces, beside some 16 bytes a
// node of the ensemble. Rows whose piece is neither there nor fits in any more
// go down the trees; so do all rows if the layout has more than 8 blocks and
// numbers, or the ensemble has categorical splits.
//
// It may be used by many goroutines.
type Predictor struct {
	ensemble *Ensemble
	layout   matrix.Matrix // without rows

	axes    []axis // of each block, then of each number
	inner   int    // the axis along which pieces lie; -1: there is no number
	missing uint64 // the piece of rows without the inner number, counted along the axis
	steps   []step // of all trees
	roots   []int32

	pieces pieceSet
}

// chunk is the rows that are looked up together.
const chunk = 256

// Predict writes the prediction for each row of x to out, which must be as long
// as x has rows. It uses all cores. A matrix of another layout than the one
// compiled for is predicted as Ensemble.Predict does it.
func (p *Predictor) Predict(x *matrix.Matrix, out []float32) {
	if len(out) != x.Rows {
		panic(fmt.Sprintf("gbt: predict %d rows into %d places", x.Rows, len(out)))
	}
	if p.roots == nil || !p.fits(x) {
		p.ensemble.Predict(x, out)
		return
	}
	workers := min(runtime.GOMAXPROCS(0), (x.Rows+4*chunk-1)/(4*chunk))
	if workers <= 1 {
		p.predictRange(x, 0, x.Rows, out)
		return
	}
	share := max(4*chunk, min(manyRows, (x.Rows+4*workers-1)/(4*workers)))
	inShares(x.Rows, share, workers, func(from, to int) { p.predictRange(x, from, to, out) })
}

// fits tells whether x has the layout that p is compiled for.
func (p *Predictor) fits(x *matrix.Matrix) bool { return sameLayout(&p.layout, x) }

// predictRange does the rows [from, to).
func (p *Predictor) predictRange(x *matrix.Matrix, from, to int, out []float32) {
	var keys [chunk]uint64
	var places [chunk]uint8
	var missed, left []int32 // rows whose piece is not there, and cannot be made
	for ; from < to; from += chunk {
		n := min(chunk, to-from)
		p.locate(x, from, keys[:n], places[:n])
		t := p.pieces.table.Load()
		missed = missed[:0]
		for i, key := range keys[:n] {
			if c := t.find(key); c != nil {
				out[from+i] = c.values[places[i]]
			} else {
				missed = append(missed, int32(i))
			}
		}
		if len(missed) == 0 {
			continue
		}
		want := make([]uint64, len(missed))
		for i, row := range missed {
			want[i] = keys[row]
		}
		t = p.make(want)
		for _, i := range missed {
			if c := t.find(keys[i]); c != nil {
				out[from+int(i)] = c.values[places[i]]
			} else {
				left = append(left, int32(from)+i)
			}
		}
	}
	if len(left) > 0 {
		p.walk(x, left, out)
	}
}

// locate finds the piece and the place in it of rows from on, one for each key.
// Numbers are float32s as in appendRow.
func (p *Predictor) locate(x *matrix.Matrix, from int, keys []uint64, places []uint8) {
	clear(keys)
	clear(places)
	for b := range x.Blocks {
		a := &p.axes[b]
		for i, code := range x.Blocks[b].Codes[from:][:len(keys)] {
			keys[i] += uint64(a.classes[code+1]) * a.stride
		}
	}
	for n := range x.Numbers {
		a := &p.axes[len(x.Blocks)+n]
		values := x.Numbers[n].Values[from:][:len(keys)]
		if len(x.Blocks)+n != p.inner {
			for i, v := range values {
				keys[i] += a.number(float32(v)) * a.stride
			}
			continue
		}
		for i, v := range values {
			piece, place := p.split(a, float32(v))
			keys[i] += piece
			places[i] = place
		}
	}
}

// number returns the class of a number.
func (a *axis) number(v float32) uint64 {
	if v != v {
		return a.size - 1
	}
	return uint64(a.ladder.class(v))
}

// split returns the piece, counted along the inner axis, and the place in it.
func (p *Predictor) split(a *axis, v float32) (piece uint64, place uint8) {
	if v != v {
		return p.missing, 0
	}
	class := uint32(a.ladder.class(v))
	return uint64(class / pieceWidth), uint8(class % pieceWidth)
}

// PredictRow returns the prediction for one row: its code in each block of the
// layout, -1 for none, and its numbers, NaN for none, which become float32s as in
// appendRow. It allocates nothing, but where a piece must be made.
func (p *Predictor) PredictRow(codes []int32, numbers []float64) float32 {
	if len(codes) != len(p.layout.Blocks) || len(numbers) != len(p.layout.Numbers) {
		panic(fmt.Sprintf("gbt: predict a row of %d codes and %d numbers", len(codes), len(numbers)))
	}
	if p.roots == nil {
		return p.walkRow(codes, numbers)
	}
	var key uint64
	var place uint8
	for i, code := range codes {
		key += uint64(p.axes[i].classes[code+1]) * p.axes[i].stride
	}
	for i, v := range numbers {
		a := &p.axes[len(codes)+i]
		if len(codes)+i != p.inner {
			key += a.number(float32(v)) * a.stride
			continue
		}
		var piece uint64
		piece, place = p.split(a, float32(v))
		key += piece
	}
	c := p.pieces.table.Load().find(key)
	if c == nil {
		if c = p.make([]uint64{key}).find(key); c == nil {
			return p.walkRow(codes, numbers)
		}
	}
	return c.values[place]
}

// walkRow sends a row down the trees; see appendRow.
func (p *Predictor) walkRow(codes []int32, numbers []float64) float32 {
	var few [maxAxes]Entry
	row := few[:0]
	for i, code := range codes {
		if code >= 0 {
			row = append(row, Entry{p.layout.Blocks[i].Columns[code], 1})
		}
	}
	for i, v := range numbers {
		row = append(row, Entry{p.layout.Numbers[i].Column, float32(v)})
	}
	return p.ensemble.PredictRow(row)
}

// walk sends the rows that are listed down the trees.
func (p *Predictor) walk(x *matrix.Matrix, rows []int32, out []float32) {
	some := matrix.Matrix{Rows: len(rows), Width: x.Width, Blocks: slices.Clone(x.Blocks), Numbers: slices.Clone(x.Numbers)}
	for b := range some.Blocks {
		some.Blocks[b].Codes = pick(x.Blocks[b].Codes, rows)
	}
	for n := range some.Numbers {
		some.Numbers[n].Values = pick(x.Numbers[n].Values, rows)
	}
	found := make([]float32, len(rows))
	p.ensemble.predict(&some, 0, some.Rows, found)
	for i, row := range rows {
		out[row] = found[i]
	}
}

func pick[T any](all []T, rows []int32) []T {
	some := make([]T, len(rows))
	for i, row := range rows {
		some[i] = all[row]
	}
	return some
}
