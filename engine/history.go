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
// A flow run belongs to the process that created or adopted it, or to none while
// it waits for a worker. A write to a run that has since been adopted elsewhere
// is refused with ErrSuperseded, and a state that may not follow the present one
// with a TransitionError: CheckFlow and CheckTask hold for every write.
type History interface {
	// CreateFlowRun records a new run in run.State, owned by this process, or by
	// nobody where that state is SCHEDULED. A run with the same IdempotencyKey that
	// is there already is returned in its place.
	CreateFlowRun(ctx context.Context, run FlowRun) (FlowRun, error)
	// AdoptFlowRun makes this process the owner of a run and its subflows, in
	// PENDING, or in SCHEDULED (Resuming) if it had begun before. Of a run that
	// completed it returns the record only. While the run's owner lives it returns
	// an OwnedError. What a dead owner left running is recorded as CRASHED first.
	// To go on from there counts as a recovery. Older requests to cancel or to pause are forgotten.
	AdoptFlowRun(ctx context.Context, id string) (FlowRun, error)
	// FlowRun returns one run, or ErrNotFound.
	FlowRun(ctx context.Context, id string) (FlowRun, error)
	// Subflow returns the run made by the call key of run parentID, or ErrNotFound.
	Subflow(ctx context.Context, parentID, key string) (FlowRun, error)
	// PutFlowRun replaces the record of a run that is in state from. Where run.State
	// is another, it is appended to the run's states. A run whose state is Released
	// is nobody's from then on.
	PutFlowRun(ctx context.Context, run FlowRun, from State) error

	// DeleteFlowRun removes a run that nobody carries out, with all below it: its
	// subflows, calls, states, logs and artifacts. Results that others use stay. Of a run whose
	// owner lives it returns an OwnedError: cancel that first.
	DeleteFlowRun(ctx context.Context, id string) error

	// TaskRuns returns the calls of one run, in their Order, with results that
	// ReadResult can read.
	TaskRuns(ctx context.Context, flowRunID string) ([]TaskRun, error)
	// PutTaskRun adds or replaces the record of a call.
	PutTaskRun(ctx context.Context, put TaskPut) error
	// Cached returns the newest unexpired entry for key, or ErrNotFound.
	Cached(ctx context.Context, key string) (CacheEntry, error)
	// ReadResult returns the encoded value, or ErrNotFound if it was collected.
	ReadResult(ctx context.Context, r Result) ([]byte, error)
	// AppendLogs keeps lines. They are there after a crash once the next write of
	// a state has returned, and in any case soon.
	AppendLogs(ctx context.Context, lines []LogLine) error

	// PutArtifact keeps what a run of this process shows, or replaces the one with
	// the same ID, which keeps its version and when it was made. A new one with a
	// key becomes the key's next version.
	PutArtifact(ctx context.Context, a Artifact) (Artifact, error)
	// Artifacts returns what q wants, newest first.
	Artifacts(ctx context.Context, q ArtifactQuery) ([]Artifact, error)

	// Signal asks something of a run and returns the run as it is then. A run that
	// nobody carries out is changed at once: cancelled with all below it, or
	// SCHEDULED (Resuming). One that is carried out becomes CANCELLING, and its
	// owner sees the signal. Input is checked against what the run waits for.
	Signal(ctx context.Context, s Signal) (FlowRun, error)
	// Signals waits until there are signals for the run rootID or a subflow of it
	// with a Seq larger than after, and returns them, oldest first. With a negative
	// after it does not wait.
	Signals(ctx context.Context, rootID string, after int64) ([]Signal, error)

	// TryAcquire takes a slot of each of the limits in names that are set, all or
	// none, where h does not have them already. It returns a limit that has no slot
	// free, or the zero Limit when h holds them all. A slot whose holder's process
	// is gone is free.
	TryAcquire(ctx context.Context, h Holder, names []string) (full Limit, err error)
	// Release gives back what h holds.
	Release(ctx context.Context, h Holder) error
	// SetLimit sets the slots of a limit, or removes the limit where slots is
	// negative.
	SetLimit(ctx context.Context, name string, slots int) error
	// Limits returns all limits with who holds them, by name.
	Limits(ctx context.Context) ([]Limit, error)
}

// TaskPut is one write of a task run's record.
type TaskPut struct {
	Task TaskRun
	// From is the state that the history has of this call; zero for a new call.
	From State
	// Via are states between From and Task.State, which are recorded too.
	Via []State
	// Entry is kept in the same transaction. So are the bytes of Task.Result.
	Entry *CacheEntry
	// Lazy lets the write be committed after PutTaskRun has returned: soon, and not
	// later than the next write that is not lazy. The engine writes the start of an
	// attempt so: nothing is acknowledged by it, and what a process that is killed
	// within that moment leaves out is that an attempt was begun.
	Lazy bool
}

var (
	// ErrNotFound is wrapped where a record, an entry or a result is not there.
	ErrNotFound = errors.New("not found")
	// ErrAmbiguous is wrapped where a name or the beginning of an ID fits several runs.
	ErrAmbiguous = errors.New("ambiguous")
	// ErrSuperseded is wrapped by a write to a run that another process has adopted.
	ErrSuperseded = errors.New("another process has taken over this run")
	// ErrRefused is wrapped where what is asked makes no sense of the records as they
	// are, and nothing above says why.
	ErrRefused = errors.New("refused")
)

// OwnedError refuses to adopt a run whose owner lives.
type OwnedError struct {
	FlowRunID string
	PID       int
}

func (e *OwnedError) Error() string {
	return fmt.Sprintf("flow run %s is being run by process %d", e.FlowRunID, e.PID)
}
