package gbt

// arena hands out slices that are all given back at once.
type arena[T any] struct {
	first []T // as much as was ever in use at once, so that mostly it is enough
	free  []T // what is left of it, or of what was made when it was used up
	used  int
}

func (a *arena[T]) reset() {
	if a.used > len(a.first) {
		a.first = make([]T, a.used+a.used/8)
	}
	a.free, a.used = a.first, 0
}

// take returns an empty slice that n elements can be appended to. It is valid
// until reset if keep follows, else until the next take.
func (a *arena[T]) take(n int) []T {
	if len(a.free) < n {
		a.free = make([]T, max(n, a.used/4, 1<<12))
	}
	return a.free[:0:n]
}

// keep makes what was appended to the last slice taken last until reset.
func (a *arena[T]) keep(s []T) {
	a.free = a.free[len(s):]
	a.used += len(s)
}

// take returns n elements, with whatever they were before, that are valid until
// the arena's reset.
func take[T any](a *arena[T], n int) []T {
	s := a.take(n)[:n]
	a.keep(s)
	return s
}
