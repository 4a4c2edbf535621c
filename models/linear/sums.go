package linear

import "math"

// dot adds as OpenBLAS 0.3.21, which numpy 1.24's wheels carry, does on one
// thread of a CPU with AVX-512 (kernel/x86_64/ddot_microk_skylakex-2.c): in 32
// running sums with fused multiply-add, folded in a fixed order.
func dot(a, b []float64) float64 {
	var l lanes
	return l.fold(a, b)
}

// lanes are the running sums of a dot of long vectors that is made bit by bit.
type lanes [32]float64

// add adds the products of a and b, whose length is a multiple of 32.
func (l *lanes) add(a, b []float64) {
	for len(a) >= 32 && len(b) >= 32 {
		x, y := (*[32]float64)(a), (*[32]float64)(b)
		for k := range l {
			l[k] = math.FMA(x[k], y[k], l[k])
		}
		a, b = a[32:], b[32:]
	}
}

// fold adds the last products, of any number, and returns the dot.
func (l *lanes) fold(a, b []float64) float64 {
	whole := len(a) &^ 31
	l.add(a, b)
	a, b = a[whole:], b[whole:len(a)]
	var half [16]float64
	for k := range half {
		half[k] = l[k/4*8+k%4] + l[k/4*8+4+k%4]
	}
	if len(a) >= 16 {
		for k := range half {
			half[k] = math.FMA(a[k], b[k], half[k])
		}
		a, b = a[16:], b[16:]
	}
	var quarter [4]float64
	for k := range quarter {
		quarter[k] = half[k] + half[4+k] + half[8+k] + half[12+k]
	}
	s := (quarter[0] + quarter[2]) + (quarter[1] + quarter[3])
	for i := range a {
		s = math.FMA(a[i], b[i], s)
	}
	return s
}

func norm(v []float64) float64 { return math.Sqrt(dot(v, v)) }

func mean(v []float64) float64 { return sum(v) / float64(len(v)) }

// sum adds as numpy 1.24's sum does: pieces of 8192 numbers one after the
// other, each of them pairwise.
func sum(v []float64) float64 {
	const piece = 8192
	var s float64
	for len(v) > piece {
		s += pairwise(v[:piece])
		v = v[piece:]
	}
	return s + pairwise(v)
}

func pairwise(v []float64) float64 {
	if len(v) > 128 {
		half := len(v) / 2
		half -= half % 8
		return pairwise(v[:half]) + pairwise(v[half:])
	}
	var s float64
	i := 0
	if len(v) >= 8 {
		r := [8]float64(v)
		for i = 8; i+8 <= len(v); i += 8 {
			for k := range r {
				r[k] += v[i+k]
			}
		}
		s = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]))
	}
	for ; i < len(v); i++ {
		s += v[i]
	}
	return s
}
