package linear

import "math"

// dot adds as OpenBLAS 0.3.21, which numpy 1.24's wheels carry, does on one
// thread of a CPU with AVX-512 (kernel/x86_64/ddot_microk_skylakex-2.c): in 32
// running sums with fused multiply-add, folded in a fixed order.
func dot(a, b []float64) float64 {
	var l lanes
	return l.fold(a, b)
}

// page is how many numbers are taken at a time: few enough that they stay in the
// nearest cache, and so many that beginning and ending a loop costs little.
const page = 2048

// lanes are the running sums of a dot of long vectors that is made bit by bit.
type lanes [32]float64

// add adds the products of a and b, whose length is a multiple of 32, eight sums
// at a time: so many stay in registers.
func (l *lanes) add(a, b []float64) {
	for len(a) >= 32 && len(b) >= 32 {
		n := min(len(a), len(b), page) &^ 31
		for k := 0; k < len(l); k += 8 {
			addEight((*[8]float64)(l[k:]), a[k:n], b[k:n])
		}
		a, b = a[n:], b[n:]
	}
}

// addEight adds the first eight products of every 32.
func addEight(l *[8]float64, a, b []float64) {
	s0, s1, s2, s3, s4, s5, s6, s7 := l[0], l[1], l[2], l[3], l[4], l[5], l[6], l[7]
	for i := 0; i+8 <= len(a) && i+8 <= len(b); i += 32 {
		x, y := (*[8]float64)(a[i:]), (*[8]float64)(b[i:])
		s0 = math.FMA(x[0], y[0], s0)
		s1 = math.FMA(x[1], y[1], s1)
		s2 = math.FMA(x[2], y[2], s2)
		s3 = math.FMA(x[3], y[3], s3)
		s4 = math.FMA(x[4], y[4], s4)
		s5 = math.FMA(x[5], y[5], s5)
		s6 = math.FMA(x[6], y[6], s6)
		s7 = math.FMA(x[7], y[7], s7)
	}
	*l = [8]float64{s0, s1, s2, s3, s4, s5, s6, s7}
}

// addOnes is add where b is ones: what is multiplied by one is added as it is.
func (l *lanes) addOnes(a []float64) {
	for len(a) >= 32 {
		n := min(len(a), page) &^ 31
		for k := 0; k < len(l); k += 8 {
			l, a := (*[8]float64)(l[k:]), a[k:n]
			s0, s1, s2, s3, s4, s5, s6, s7 := l[0], l[1], l[2], l[3], l[4], l[5], l[6], l[7]
			for i := 0; i+8 <= len(a); i += 32 {
				x := (*[8]float64)(a[i:])
				s0 += x[0]
				s1 += x[1]
				s2 += x[2]
				s3 += x[3]
				s4 += x[4]
				s5 += x[5]
				s6 += x[6]
				s7 += x[7]
			}
			*l = [8]float64{s0, s1, s2, s3, s4, s5, s6, s7}
		}
		a = a[n:]
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
