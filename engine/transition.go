package engine

import "fmt"

// The transition table: a row for the type that is left, a column for the type
// that is entered, in the order of StateTypes.
//
//	y  always
//	n  by another name only: Late, AwaitingSlot, Submitting, Retrying
//	c  by the name Cached only
//	w  for a run whose process waits: for a retry, for a slot, or to go on
//	t  for a task run; a flow run goes by way of CANCELLING
//
// There is no way from PENDING to PENDING of the same name: of two workers that
// submit one run, the second is refused. Nothing leaves CANCELLING but CANCELLED,
// so a completion that comes later loses. A final state is left for SCHEDULED
// (Resuming) or RUNNING, by somebody who runs the run again.
var table = map[StateType]string{
	//               SCHEDULED PENDING RUNNING PAUSED CANCELLING COMPLETED FAILED CRASHED CANCELLED
	"":             `y         y       .       .      .          .         y      .       .`,
	TypeScheduled:  `y         y       y       .      w          c         y      y       y`,
	TypePending:    `y         n       y       .      y          c         y      y       y`,
	TypeRunning:    `y         .       n       y      y          y         y      y       t`,
	TypePaused:     `y         .       y       n      y          y         y      y       y`,
	TypeCancelling: `.         .       .       .      .          .         .      .       y`,
	TypeCompleted:  `y         .       y       .      .          .         .      .       .`,
	TypeFailed:     `y         .       y       .      .          .         .      .       .`,
	TypeCrashed:    `y         .       y       .      .          .         .      .       .`,
	TypeCancelled:  `y         .       y       .      .          .         .      .       .`,
}

// rules are the table without its spaces.
var rules = func() map[[2]StateType]byte {
	m := map[[2]StateType]byte{}
	for from, row := range table {
		column := 0
		for i := range row {
			if row[i] != ' ' {
				m[[2]StateType{from, StateTypes()[column]}] = row[i]
				column++
			}
		}
	}
	return m
}()

// TransitionError refuses a state that may not follow the one a run is in.
type TransitionError struct {
	Run      string // ID of the flow run, and the key of the task run after a space
	From, To State  // From is the state the run is in; its Type is "" for none
}

func (e *TransitionError) Error() string {
	from := "new"
	if e.From.Type != "" {
		from = e.From.Name
	}
	return fmt.Sprintf("run %s is %s: it cannot become %s", e.Run, from, e.To.Name)
}

// CheckFlow returns a TransitionError unless a flow run that is in state from (the
// zero State for a new run) may enter to.
func CheckFlow(from, to State) error {
	if allowed(from, to, false) {
		return nil
	}
	return &TransitionError{From: from, To: to}
}

// CheckTask is CheckFlow for a task run.
func CheckTask(from, to State) error {
	if allowed(from, to, true) {
		return nil
	}
	return &TransitionError{From: from, To: to}
}

func allowed(from, to State, task bool) bool {
	switch rules[[2]StateType{from.Type, to.Type}] {
	case 'y':
	case 'n':
		if from.Name == to.Name && to.Name != NameRetrying {
			return false
		}
	case 'c':
		if to.Name != NameCached {
			return false
		}
	case 'w':
		if from.Name != NameAwaitingRetry && from.Name != NameAwaitingSlot && from.Name != NameResuming {
			return false
		}
	case 't':
		if !task {
			return false
		}
	default:
		return false
	}
	return from.Type == "" || to.Time.After(from.Time)
}

// States returns the states that a write adds to a call's history, or a
// TransitionError about the first that may not follow the one before.
func (p TaskPut) States() ([]State, error) {
	states := p.Via
	if p.Task.State != p.From {
		states = append(states[:len(states):len(states)], p.Task.State)
	}
	from := p.From
	for _, to := range states {
		if !allowed(from, to, true) {
			return nil, &TransitionError{Run: p.Task.FlowRunID + " " + p.Task.Key, From: from, To: to}
		}
		from = to
	}
	return states, nil
}
