package gbt

// sieve holds back levels that are no better than the best split so far, at a
// third of the cost of hopeless. Most nodes have thousands of levels, and most
// of those hold a small part of the node's weight and answer much as it does.
//
// Let G and H be the node's sums, g and h the level's, w = G/(H+λ) and
// d = g - w(h+λ): how far the level is from what the node answers. Then, but for
// alpha, which only lessens gains, those of both sides add up to
//
//	G²/(H+λ) - w²λ + d²/(h+λ) + (d+wλ)²/(H-h+λ)
//
// To be enough, the last two terms must come to some rest. If h+λ is at most a
// sixteenth of H+2λ, the last one is at most (2d²+2w²λ²)/15(h+λ), so that
//
//	d²·17/15 + w²λ²·2/15 ≥ rest·(h+λ)
type sieve struct {
	lambda, weight float64
	small          float64 // most of h+λ
	slope, offset  float64 // d² must come to slope·(h+λ) - offset
}

func newSieve(s *search) sieve {
	w := s.total.grad / (s.total.hess + s.lambda)
	lost := float64(float64(w*w) * s.lambda)
	rest := s.enough - float64(w*s.total.grad) + lost
	return sieve{
		lambda: s.lambda,
		weight: w,
		small:  (s.total.hess + float64(2*s.lambda)) / 16,
		slope:  rest * 15 / 17,
		offset: float64(lost*s.lambda) * 2 / 17,
	}
}

// holds tells whether a level is held back.
func (f *sieve) holds(level sums) bool {
	h := level.hess + f.lambda
	d := level.grad - float64(f.weight*h)
	return float64(d*d) < float64(f.slope*h)-f.offset && h <= f.small
}
