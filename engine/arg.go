package engine

import (
	"context"
	"errors"
)

// Arg is an argument of type T: a value, a Future[T], or several of them joined.
// What a call depends on is known from its argument.
type Arg[T any] interface {
	// calls returns the calls that must end before value may be used.
	calls() []need
	// value returns the argument; for a stored result this is where it is decoded.
	value(ctx context.Context) (T, error)
	// digest identifies the value without needing it.
	digest() (string, error)
}

// Val is the argument v.
func Val[T any](v T) Arg[T] { return val[T]{v} }

type val[T any] struct{ v T }

func (a val[T]) calls() []need                    { return nil }
func (a val[T]) value(context.Context) (T, error) { return a.v, nil }
func (a val[T]) digest() (string, error)          { return Digest(a.v) }

// Join2 is the argument that join makes of two. join is part of the program and
// of nothing else: it must be pure.
func Join2[A, B, T any](a Arg[A], b Arg[B], join func(A, B) T) Arg[T] {
	return joined[T]{
		parts: []part{a, b},
		make: func(ctx context.Context) (t T, err error) {
			av, err := a.value(ctx)
			if err != nil {
				return t, err
			}
			bv, err := b.value(ctx)
			if err != nil {
				return t, err
			}
			return join(av, bv), nil
		},
	}
}

// Join3 is Join2 of three.
func Join3[A, B, C, T any](a Arg[A], b Arg[B], c Arg[C], join func(A, B, C) T) Arg[T] {
	type pair struct {
		a A
		b B
	}
	ab := Join2(a, b, func(a A, b B) pair { return pair{a, b} })
	return Join2(ab, c, func(ab pair, c C) T { return join(ab.a, ab.b, c) })
}

// List is the argument that holds the values of all args, in their order.
func List[T any](args ...Arg[T]) Arg[[]T] {
	parts := make([]part, len(args))
	for i, a := range args {
		parts[i] = a
	}
	return joined[[]T]{
		parts: parts,
		make: func(ctx context.Context) ([]T, error) {
			list := make([]T, len(args))
			for i, a := range args {
				var err error
				if list[i], err = a.value(ctx); err != nil {
					return nil, err
				}
			}
			return list, nil
		},
	}
}

// part is what every Arg has whatever its type.
type part interface {
	calls() []need
	digest() (string, error)
}

// need is a call that an argument is made of.
type need struct {
	*call
	anyhow bool // that it failed is no reason not to go on
}

// failed returns why the argument will never come, once the call has ended.
func (n need) failed() error {
	var later *Reschedule
	var suspended *suspension
	if n.anyhow && !errors.As(n.err, &later) && !errors.As(n.err, &suspended) {
		return nil
	}
	return n.err
}

type joined[T any] struct {
	parts []part
	make  func(ctx context.Context) (T, error)
}

func (j joined[T]) calls() (all []need) {
	for _, p := range j.parts {
		all = append(all, p.calls()...)
	}
	return all
}

func (j joined[T]) value(ctx context.Context) (T, error) { return j.make(ctx) }

func (j joined[T]) digest() (string, error) {
	digests := make([]string, len(j.parts))
	for i, p := range j.parts {
		var err error
		if digests[i], err = p.digest(); err != nil {
			return "", err
		}
	}
	return combine("join", digests...), nil
}
