package engine

import (
	"slices"
	"time"
)

// StateType is what orchestration goes by. The values are Prefect's.
type StateType string

// The nine types. The last four are final.
const (
	TypeScheduled  StateType = "SCHEDULED"
	TypePending    StateType = "PENDING"
	TypeRunning    StateType = "RUNNING"
	TypePaused     StateType = "PAUSED"
	TypeCancelling StateType = "CANCELLING"
	TypeCompleted  StateType = "COMPLETED"
	TypeFailed     StateType = "FAILED"
	TypeCrashed    StateType = "CRASHED"
	TypeCancelled  StateType = "CANCELLED"
)

// StateTypes returns the nine types, the final ones last.
func StateTypes() []StateType {
	return []StateType{TypeScheduled, TypePending, TypeRunning, TypePaused, TypeCancelling,
		TypeCompleted, TypeFailed, TypeCrashed, TypeCancelled}
}

// Final reports whether nothing follows by itself.
func (t StateType) Final() bool {
	switch t {
	case TypeCompleted, TypeFailed, TypeCrashed, TypeCancelled:
		return true
	}
	return false
}

// State is one entry of a run's history.
type State struct {
	Type    StateType `json:"type"`
	Name    string    `json:"name"`
	Message string    `json:"message,omitempty"`
	Time    time.Time `json:"time"`
}

// Released reports whether a run that enters the state is nobody's from then on:
// its process has done with it.
func (s State) Released() bool {
	switch {
	case s.Type == TypeScheduled:
		return s.Name != NameAwaitingRetry && s.Name != NameResuming && s.Name != NameAwaitingSlot
	case s.Type == TypePaused:
		return s.Name == NameSuspended
	}
	return s.Type.Final()
}

// Names of states that say more than their type. A flow may use its own, too,
// with [Reschedule].
const (
	NameScheduled      = "Scheduled"
	NameLate           = "Late"                    // due, and nobody has begun it
	NameAwaitingRetry  = "AwaitingRetry"           // its process waits for the next attempt
	NameAwaitingSlot   = "AwaitingConcurrencySlot" // a limit is reached
	NameAwaitingData   = "AwaitingData"            // what it works on is not there yet
	NameResuming       = "Resuming"                // goes on from where it was
	NamePending        = "Pending"
	NameSubmitting     = "Submitting"            // a worker is about to start its process
	NameInfrastructure = "InfrastructurePending" // its process has been started
	NameNotReady       = "NotReady"              // waits for its flow to go on
	NameRunning        = "Running"
	NameRetrying       = "Retrying" // another attempt
	NamePaused         = "Paused"   // its process waits for input
	NameSuspended      = "Suspended"
	NameCancelling     = "Cancelling"
	NameCompleted      = "Completed"
	NameCached         = "Cached"
	NameFailed         = "Failed"
	NameTimedOut       = "TimedOut"
	NameCrashed        = "Crashed"
	NameCancelled      = "Cancelled"
	NameUpstreamFailed = "UpstreamFailed" // an argument will never come
)

// names are those that the engine itself gives to states of each type.
var names = map[StateType][]string{
	TypeScheduled:  {NameScheduled, NameLate, NameAwaitingRetry, NameAwaitingSlot, NameAwaitingData, NameResuming},
	TypePending:    {NamePending, NameSubmitting, NameInfrastructure, NameNotReady},
	TypeRunning:    {NameRunning, NameRetrying},
	TypePaused:     {NamePaused, NameSuspended},
	TypeCancelling: {NameCancelling},
	TypeCompleted:  {NameCompleted, NameCached},
	TypeFailed:     {NameFailed, NameTimedOut},
	TypeCrashed:    {NameCrashed},
	TypeCancelled:  {NameCancelled, NameUpstreamFailed},
}

// StateNames returns the names that the engine gives to states of type t, the
// plain one first.
func StateNames(t StateType) []string { return slices.Clone(names[t]) }
