package engine

import "time"

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

// Names of states that say more than their type.
const (
	NamePending        = "Pending"
	NameRunning        = "Running"
	NameRetrying       = "Retrying"
	NameAwaitingRetry  = "AwaitingRetry"
	NameCompleted      = "Completed"
	NameCached         = "Cached"
	NameFailed         = "Failed"
	NameTimedOut       = "TimedOut"
	NameCrashed        = "Crashed"
	NameCancelling     = "Cancelling"
	NameCancelled      = "Cancelled"
	NameUpstreamFailed = "UpstreamFailed"
)
