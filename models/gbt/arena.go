package gbt

// arena hands out slices that are all given back at once.
type arena[T any] struct {
	chunks [][]T
	next   int // chunk in use is chunks[next-1]
	free   []T // what is left of it
}

func (a *arena[T]) reset() { a.next, a.free = 0, nil }

// take returns an empty slice that n elements can be appended to. It is valid
// until reset if keep follows, else until the next take.
func (a *arena[T]) take(n int) []T {
	for len(a.free) < n {
		if a.next == len(a.chunks) {
			a.chunks = append(a.chunks, make([]T, max(n, 1<<13)))
		}
		a.free = a.chunks[a.next]
		a.next++
	}
	return a.free[:0:n]
}

// keep makes what was appended to the last slice taken last until reset.
func (a *arena[T]) keep(s []T) { a.free = a.free[len(s):] }

// take returns n elements, with whatever they were before, that are valid until
// the arena's reset.
func take[T any](a *arena[T], n int) []T {
	s := a.take(n)[:n]
	a.keep(s)
	return s
}
