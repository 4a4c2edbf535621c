package engine

import (
	"fmt"
	"time"
)

// Ask says what becomes of a run that is asked s, at the time now: the run, the
// states that it enters, and the signal that its owner is to see. carried says
// that some living process carries the run out; its history then leaves to that
// process what only it can do. Every History answers Signal by it.
func Ask(run FlowRun, s Signal, carried bool, now time.Time) (FlowRun, []State, Signal, error) {
	s.Time = now
	enter := func(states ...State) (FlowRun, []State, Signal, error) {
		for _, next := range states {
			if err := CheckFlow(run.State, next); err != nil {
				return run, nil, s, &TransitionError{Run: run.ID, From: run.State, To: next}
			}
			run.Ran = ran(run.State, run.Ran, next.Time)
			run.State = next
			if next.Type.Final() {
				run.End, run.Waiting = next.Time, nil
			}
		}
		return run, states, s, nil
	}
	switch s.Kind {
	case SignalCancel:
		cancelling := After(run.State, now, TypeCancelling, NameCancelling, s.Message)
		switch {
		case run.State.Type == TypeCancelling && carried:
			return run, nil, s, nil
		case run.State.Type == TypeCancelling:
			return enter(After(run.State, now, TypeCancelled, NameCancelled, s.Message))
		case run.State.Type.Final() || carried:
			return enter(cancelling)
		case run.State.Type == TypeRunning:
			return enter(cancelling, After(cancelling, now, TypeCancelled, NameCancelled, s.Message))
		}
		return enter(After(run.State, now, TypeCancelled, NameCancelled, s.Message))
	case SignalPause:
		paused := After(run.State, now, TypePaused, NamePaused, s.Message)
		if !carried || run.State.Type != TypeRunning {
			return run, nil, s, &TransitionError{Run: run.ID, From: run.State, To: paused}
		}
		return run, nil, s, nil
	case SignalResume:
		if run.State.Type != TypePaused {
			return run, nil, s, &TransitionError{Run: run.ID, From: run.State, To: After(run.State, now, TypeRunning, NameRunning, "")}
		}
		if w := run.Waiting; w != nil {
			if s.Key != "" && s.Key != w.Key {
				return run, nil, s, fmt.Errorf("run %s waits for %s, not for %s", run.ID, w.Key, s.Key)
			}
			input, err := w.Schema.Resolve(s.Input)
			if err != nil {
				return run, nil, s, err
			}
			s.FlowRunID, s.Key, s.Input = w.FlowRunID, w.Key, input
		}
		if carried {
			return run, nil, s, nil
		}
		run.NextStart, run.Waiting = now, nil
		return enter(After(run.State, now, TypeScheduled, NameResuming, s.Message))
	}
	return run, nil, s, fmt.Errorf("nobody knows how to %s a run", s.Kind)
}

// Adopt says what becomes of a run that a process takes over, at the time now: the
// states that it enters, the last of which is where it waits to be begun. dead
// says that it had an owner whose process is gone. A run that completed, and one
// that had only to be cancelled still, is not taken over: more is false.
func Adopt(run FlowRun, dead bool, now time.Time) (next FlowRun, states []State, more bool) {
	enter := func(t StateType, name, message string) {
		s := After(run.State, now, t, name, message)
		run.Ran = ran(run.State, run.Ran, s.Time)
		run.State = s
		states = append(states, s)
	}
	if dead {
		run, states = Crash(run, now)
	}
	if run.State.Type == TypeCrashed {
		run.Recoveries++
	}
	switch {
	case run.State.Type == TypeCompleted, dead && run.State.Type == TypeCancelled:
		return run, states, false
	case run.State.Type == TypePending:
	case run.State.Type == TypeScheduled && run.Attempts == 0:
		enter(TypePending, NamePending, "")
	default:
		enter(TypeScheduled, NameResuming, "")
	}
	run.End = time.Time{}
	return run, states, true
}

// Crash says what becomes of an unfinished run whose process is found to be gone,
// at the time now. One that was being cancelled is; one that waits for input, or
// to be begun, goes on waiting.
func Crash(run FlowRun, now time.Time) (next FlowRun, states []State) {
	var s State
	switch run.State.Type {
	case TypeCancelling:
		s = After(run.State, now, TypeCancelled, NameCancelled, run.State.Message)
	case TypePaused:
		if run.State.Name == NameSuspended || run.Waiting == nil {
			return run, nil
		}
		s = After(run.State, now, TypePaused, NameSuspended, run.State.Message)
	case TypePending, TypeScheduled:
		if run.Attempts == 0 {
			s = After(run.State, now, TypeCrashed, NameCrashed, "its process ended before it began")
			break
		}
		fallthrough
	default:
		s = After(run.State, now, TypeCrashed, NameCrashed, "its process ended")
	}
	run.State = s
	if s.Type.Final() {
		run.End = s.Time // when it was noticed: nobody knows more
	}
	return run, []State{s}
}
