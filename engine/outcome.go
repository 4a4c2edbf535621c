package engine

import "context"

// Outcome is what became of a call: its value, or the error that it ended with.
type Outcome[T any] struct {
	Value T
	Err   string // "": it completed
}

// Outcome is an argument that comes also when the call fails, which then does not fail
// the run: whoever takes it decides. A run that is cancelled still makes no calls.
func (f *Future[T]) Outcome() Arg[Outcome[T]] { return outcome[T]{f} }

type outcome[T any] struct{ f *Future[T] }

func (o outcome[T]) calls() []need { return []need{{o.f.call, true}} }

func (o outcome[T]) value(ctx context.Context) (out Outcome[T], err error) {
	if o.f.call.err != nil {
		return Outcome[T]{Err: o.f.call.err.Error()}, nil
	}
	out.Value, err = o.f.value(ctx)
	return out, err
}

func (o outcome[T]) digest() (string, error) {
	<-o.f.call.done
	if o.f.call.err != nil {
		return combine("failed", o.f.call.err.Error()), nil
	}
	return o.f.digest()
}

// Ended is a Dependency on the end of calls, whether they complete or not: for what is
// to be done in either case. That they fail does not fail the run.
func Ended(calls ...Dependency) Dependency { return ended(calls) }

type ended []Dependency

func (e ended) calls() (all []need) {
	for _, d := range e {
		for _, n := range d.calls() {
			all = append(all, need{n.call, true})
		}
	}
	return all
}
