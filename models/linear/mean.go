package linear

import "math"

// MeanRMSE returns the root mean squared error, on the targets valid, of a model
// that knows nothing and always predicts the mean of the targets train. It is
// the mark for any regressor: one that does worse has learned something that is
// not so, and is to be flagged. It is NaN where either is empty.
func MeanRMSE(train, valid []float64) float64 {
	m := mean(train)
	var s float64
	for _, y := range valid {
		s += float64((y - m) * (y - m))
	}
	return math.Sqrt(s / float64(len(valid)))
}
