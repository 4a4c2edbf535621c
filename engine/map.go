package engine

import (
	"context"
	"fmt"
)

// Each is a list of arguments, one for each call that Map makes.
type Each[T any] struct {
	args []Arg[T]
	same bool // args holds one, for every call
}

// Values are the arguments vs.
func Values[T any](vs ...T) Each[T] {
	args := make([]Arg[T], len(vs))
	for i, v := range vs {
		args[i] = Val(v)
	}
	return Each[T]{args: args}
}

// Args are arguments that may be futures.
func Args[T any](args ...Arg[T]) Each[T] { return Each[T]{args: args} }

// Same is one argument for all calls, however many there are.
func Same[T any](a Arg[T]) Each[T] { return Each[T]{args: []Arg[T]{a}, same: true} }

// Items are the values of a list that a call returns, each an argument of its own that
// depends on the call. How many there are is only known then: Items waits for it.
func Items[T any](s Scope, list *Future[[]T]) (Each[T], error) {
	values, err := list.Get(s.scope().ctx)
	if err != nil {
		return Each[T]{}, err
	}
	args := make([]Arg[T], len(values))
	for i, v := range values {
		id, err := Digest(v)
		args[i] = item[T]{list, i, id, err}
	}
	return Each[T]{args: args}, nil
}

// item is one value of a list.
type item[T any] struct {
	list *Future[[]T]
	i    int
	id   string
	err  error // of the digest
}

func (a item[T]) calls() []need           { return a.list.calls() }
func (a item[T]) digest() (string, error) { return a.id, a.err }

func (a item[T]) value(ctx context.Context) (v T, err error) {
	values, err := a.list.value(ctx)
	if err == nil && a.i >= len(values) {
		err = fmt.Errorf("item %d of %d: the list that %s returned is another now", a.i, len(values), a.list.Key())
	}
	if err != nil {
		return v, err
	}
	return values[a.i], nil
}

// Zip joins two lists item by item; one that is Same goes with each item of the
// other. Lists of different lengths are an error. join is as for Join2.
func Zip[A, B, T any](a Each[A], b Each[B], join func(A, B) T) (Each[T], error) {
	n := max(len(a.args), len(b.args))
	switch {
	case a.same:
		n = len(b.args)
	case b.same:
		n = len(a.args)
	case len(a.args) != len(b.args):
		return Each[T]{}, fmt.Errorf("map over lists of different lengths: %d and %d", len(a.args), len(b.args))
	}
	args := make([]Arg[T], n)
	for i := range args {
		args[i] = Join2(a.at(i), b.at(i), join)
	}
	return Each[T]{args: args, same: a.same && b.same}, nil
}

func (e Each[T]) at(i int) Arg[T] {
	if e.same {
		return e.args[0]
	}
	return e.args[i]
}

// Mapped are the futures of the calls that Map made, in the order of its
// arguments.
type Mapped[T any] []*Future[T]

// List is the argument that holds all values.
func (m Mapped[T]) List() Arg[[]T] {
	args := make([]Arg[T], len(m))
	for i, f := range m {
		args[i] = f
	}
	return List(args...)
}

// calls makes a Mapped a Dependency.
func (m Mapped[T]) calls() (all []need) {
	for _, f := range m {
		all = append(all, f.calls()...)
	}
	return all
}

// Map calls the task once for each argument and returns at once. The calls' keys
// are the task's with the number of the argument; give the list a fixed order.
func (t Task[I, O]) Map(s Scope, each Each[I], after ...Dependency) Mapped[O] {
	futures := make(Mapped[O], len(each.args))
	for i, a := range each.args {
		futures[i] = t.Keyed(itemKey(t.key, i)).Submit(s, a, after...)
	}
	return futures
}

// itemKey is the key of item i of a Map with the given key.
func itemKey(key string, i int) string {
	if key != "" {
		key += "."
	}
	return fmt.Sprintf("%s%d", key, i)
}
