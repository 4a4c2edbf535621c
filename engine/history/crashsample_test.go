//go:build !soak

package history

// How much of the crash proof "make test" runs: a kill at each so-many-th
// transition, and so many at random instants. "make soak" runs all of it.
const (
	crashStride = 14
	crashRandom = 8
)
