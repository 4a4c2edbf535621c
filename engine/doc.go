// Package engine runs flows of tasks in one process: retries, caching,
// timeouts, concurrency, futures as arguments, and durable resume. It does not
// know where its records are kept (a [History] does), what a flow is about, or
// any library but Go's own.
//
// A [Flow] is a function that calls tasks and other flows; a [Task] is the
// smallest unit that is observed, retried, cached and resumed. A call is made
// with Submit, which returns a [Future] at once, or with Run, which waits. A
// future is itself an argument of further calls: what depends on what is
// recorded from that, and nothing has to be unwrapped.
//
// # States
//
// Types are Prefect's nine; a name says more within a type.
//
//	            ┌────────── AwaitingRetry (SCHEDULED) ◄─┐
//	            ▼                                       │ a retry is left
//	PENDING ─► RUNNING (Running, Retrying) ─────────────┤
//	   │        │                                       └─► FAILED (Failed, TimedOut)
//	   │        ├─► COMPLETED (Completed)
//	   │        ├─► CANCELLED (Cancelled), by way of CANCELLING for a flow
//	   │        └─► CRASHED (Crashed): its process is gone
//	   ├─► COMPLETED (Cached): the result of an equal call was at hand
//	   └─► CANCELLED (UpstreamFailed): an argument will never come
//
// # Resume
//
// Every call has a key that does not depend on timing: the task's name, or the
// name and a key of the caller's, within the flow run. When a run is resumed
// its body runs again, and each call that has completed before with the same
// key and the same digest of its input hands back its stored result instead of
// running. So a flow's body must make the same calls when it runs again: it
// takes dates and identity from [Ctx], and leaves everything else to tasks.
package engine
