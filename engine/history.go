package engine

import (
	"context"
	"errors"
	"fmt"
)

// History keeps the records of runs. Each method is one transaction: when it
// returns nil, what it was given will be there after a crash. Implementations
// are safe for concurrent use; package enginetest has the suite they pass.
//
// Flow runs belong to the process that created or adopted them. A write to a
// run that has since been adopted elsewhere is refused with ErrSuperseded.
type History interface {
	// CreateFlowRun records a new run in run.State, owned by this process.
	CreateFlowRun(ctx context.Context, run FlowRun) error
	// AdoptFlowRun makes this process the owner of a run and its subflows. It
	// returns an OwnedError while the owner lives.
	AdoptFlowRun(ctx context.Context, id string) (FlowRun, error)
	// FlowRun returns one run, or ErrNotFound.
	FlowRun(ctx context.Context, id string) (FlowRun, error)
	// Subflow returns the run made by the call key of run parentID, or ErrNotFound.
	Subflow(ctx context.Context, parentID, key string) (FlowRun, error)
	// PutFlowRun replaces the record and, where run.State is new, appends it to the
	// run's states.
	PutFlowRun(ctx context.Context, run FlowRun) error

	// TaskRuns returns the calls of one run, in their Order,
	// with results that ReadResult can read.
	TaskRuns(ctx context.Context, flowRunID string) ([]TaskRun, error)
	// PutTaskRun adds or replaces the record and, where task.State is new, appends
	// it to the call's states. The bytes of task.Result are stored with it, and so
	// is the cache entry if there is one, in the same transaction.
	PutTaskRun(ctx context.Context, task TaskRun, entry *CacheEntry) error
	// Cached returns the newest unexpired entry for key, or ErrNotFound.
	Cached(ctx context.Context, key string) (CacheEntry, error)
	// ReadResult returns the encoded value, or ErrNotFound if it was collected.
	ReadResult(ctx context.Context, r Result) ([]byte, error)

	// AppendLogs keeps lines.
	AppendLogs(ctx context.Context, lines []LogLine) error
}

var (
	// ErrNotFound is wrapped where a record, an entry or a result is not there.
	ErrNotFound = errors.New("not found")
	// ErrAmbiguous is wrapped where a name or the beginning of an ID fits several runs.
	ErrAmbiguous = errors.New("ambiguous")
	// ErrSuperseded is wrapped by a write to a run that another process has adopted.
	ErrSuperseded = errors.New("another process has taken over this run")
)

// OwnedError refuses to adopt a run whose owner lives.
type OwnedError struct {
	FlowRunID string
	PID       int
}

func (e *OwnedError) Error() string {
	return fmt.Sprintf("flow run %s is being run by process %d", e.FlowRunID, e.PID)
}
