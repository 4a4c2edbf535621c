package linear

import (
	"math"
	"slices"
)

// extrapolate moves the weights to the weighted mean of the last ones at which
// the sweeps' moves most nearly cancel, if that is any better (Anderson 1965; for
// coordinate descent, Bertrand and Massias, "Anderson acceleration of coordinate
// descent", AISTATS 2021).
func (d *descent) extrapolate() {
	at := append(d.trail, d.weights)
	k := len(at) - 1
	moves := make([][]float64, k)
	for i := range moves {
		moves[i] = make([]float64, len(d.weights))
		for j := range moves[i] {
			moves[i][j] = at[i+1][j] - at[i][j]
		}
	}
	scale := make([]float64, k) // the moves shrink from sweep to sweep
	gram, shares := make([][]float64, k), make([]float64, k)
	for i := range k {
		if scale[i] = norm(moves[i]); scale[i] == 0 {
			return
		}
		gram[i] = make([]float64, i+1)
		for j := range gram[i] {
			gram[i][j] = dot(moves[i], moves[j]) / (scale[i] * scale[j])
		}
		gram[i][i] += 1e-10 // slow sweeps all move alike
		shares[i] = 1 / scale[i]
	}
	if !solve(gram, shares) {
		return
	}
	var total float64
	for i := range shares {
		shares[i] /= scale[i]
		total += shares[i]
	}
	weights := make([]float64, len(d.weights))
	for i, share := range shares {
		for j, w := range at[i+1] {
			weights[j] += float64(share / total * w)
		}
	}
	moved := *d
	moved.weights = weights
	moved.settle()
	if c := d.cost(); moved.cost() <= c+float64(1e-13*c) { // as far as rounding lets one see
		d.bias, d.weights, d.residual = moved.bias, moved.weights, moved.residual
	}
}

// settle computes the residual of the weights, and the bias that is best for
// them. d.bias is only right once this has been called or a sweep been made.
func (d *descent) settle() {
	d.residual = slices.Clone(d.y)
	for j, values := range d.numbers {
		w := d.weights[d.x.Numbers[j].Column]
		for row, v := range values {
			d.residual[row] -= float64(w * v)
		}
	}
	for i := range d.x.Blocks {
		b := &d.x.Blocks[i]
		for row, code := range b.Codes {
			if code >= 0 {
				d.residual[row] -= d.weights[b.Columns[code]]
			}
		}
	}
	shift := mean(d.residual)
	for row := range d.residual {
		d.residual[row] -= shift
	}
	d.bias = d.centre + shift
	for j, m := range d.mean {
		d.bias -= float64(d.weights[d.x.Numbers[j].Column] * m)
	}
}

// cost is what descend minimises.
func (d *descent) cost() float64 {
	var size float64
	for _, w := range d.weights {
		size += math.Abs(w)
	}
	return float64(dot(d.residual, d.residual)/2) + float64(d.penalty*size)
}
