package gbt

// sieve holds back splits that are no better than the best so far. Nearly all
// are not, and it takes no division to see that.
//
// Let G and H be the sums of a node, g and h those of one side of a split,
// w = G/(H+λ), and d = g - w(h+λ): how far the side is from what the node
// answers. But for alpha, which only lessens gains, those of both sides come to
//
//	G²/(H+λ) - w²λ + d²/(h+λ) + (d+wλ)²/(H-h+λ)
//
// Of this the last two terms must make up some rest for the split to be the
// best. Neither square is greater than (1+1/k)d² + (1+k)w²λ², for any k; so
//
//	d² ≥ rest·k/(k+1)·(h+λ)(H-h+λ)/(H+2λ) - k(wλ)²
type sieve struct {
	lambda, weight, whole float64 // λ, w, H+2λ
	slope, offset         float64

	// what slope is made of
	share, own float64 // k/(k+1)/(H+2λ), what the rest is less than what both sides gain
}

func newSieve(total sums, lambda float64) sieve {
	const k = 32
	w := total.grad / (total.hess + lambda)
	wl := float64(w * lambda)
	whole := total.hess + float64(2*lambda)
	return sieve{
		lambda: lambda, weight: w, whole: whole, offset: float64(wl*wl) * k,
		share: k / (k + 1.) / whole, own: float64(w*total.grad) - float64(w*wl),
	}
}

// raise holds back all splits whose sides gain less in all.
func (f *sieve) raise(enough float64) { f.slope = (enough - f.own) * f.share }

// holds tells whether a split is held back that has the side on one of its sides.
func (f *sieve) holds(side sums) bool {
	h := side.hess + f.lambda
	d := side.grad - float64(f.weight*h)
	return float64(d*d) < float64(f.slope*float64(h*(f.whole-h)))-f.offset
}
