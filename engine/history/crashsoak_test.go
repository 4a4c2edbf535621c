//go:build soak

package history

const (
	crashStride = 1
	crashRandom = 1000
)
