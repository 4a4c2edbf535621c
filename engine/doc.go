// Package engine runs flows of tasks in one process: retries, caching,
// timeouts, concurrency, futures as arguments, and durable resume. It does not
// know where its records are kept (a [History] does), when a run is due, what a
// flow is about, or any library but Go's own.
//
// A [Flow] is a function that calls tasks and other flows; a [Task] is the
// smallest unit that is observed, retried, cached and resumed. A call is made
// with Submit, which returns a [Future] at once, or with Run, which waits; Map
// makes many. A future is itself an argument of further calls: what depends on
// what is recorded from that, and nothing has to be unwrapped. A task may make
// calls of its own, from what [From] finds in its context.
//
// # States
//
// Types are Prefect's nine; a name says more within a type. What may follow what
// is a table, which [CheckFlow] and [CheckTask] read and every [History] enforces.
//
//	                 ┌───────────────── AwaitingRetry, AwaitingData, … ◄──┐
//	                 ▼                                                    │
//	            SCHEDULED ───► PENDING ───► RUNNING ──────────────────────┤
//	Scheduled, Late,  │ ▲        │           │ ▲  │ Running, Retrying     │
//	Resuming          │ │        │           ▼ │  │                       │
//	                  │ └────────┼──────── PAUSED │ Paused, Suspended     │
//	                  │          │           │    ▼                       │
//	                  │          │           │  CANCELLING (flow runs)    │
//	                  ▼          ▼           ▼    ▼                       ▼
//	      ┌──────────────────────────────────────────────────────────────────┐
//	      │ COMPLETED   Completed; Cached, straight from PENDING             │
//	      │ FAILED      Failed, TimedOut                                     │
//	      │ CRASHED     Crashed: the process is gone                         │
//	      │ CANCELLED   Cancelled; UpstreamFailed: an argument never comes   │
//	      └──────────────────────────────────────────────────────────────────┘
//	                             │ carried out again: SCHEDULED (Resuming)
//	                             ▼
//
// Nothing but CANCELLED follows CANCELLING, so a completion that comes later loses.
// A run's states have strictly increasing times, and none is ever taken back.
//
// # Resume
//
// Every call has a key that does not depend on timing: the task's name, or the
// name and a key of the caller's, within the flow run; a call within a task's body
// has the task's key before its own. When a run is carried out again its body runs
// again, and each call that has completed before with the same key and the same
// digest of its input hands back its stored result instead of running. So a flow's
// body must make the same calls when it runs again: it takes time, randomness and
// IDs from [Ctx], and leaves everything else to tasks. enginetest.Replay checks it.
//
// A run ends with an error that its body returns, with the first failure of a call
// that nobody has looked at, or COMPLETED. A call whose argument failed is not made,
// unless it takes the [Outcome]. Two errors are no failures: [Reschedule] puts the run
// off, and a suspending [Pause] leaves it until somebody answers.
//
// A panic in a body, or in what makes an argument, fails its call, with a stack. In a
// goroutine that a body starts by itself it ends the process, as everywhere in Go: the
// run is then found CRASHED.
//
// A body whose time is over, or whose run is cancelled, has the engine's Grace to
// return. One that does not is abandoned: its goroutine cannot be ended, but its
// result, its states and its calls are refused from then on.
//
// What is acknowledged is never lost: a value that a future gives, a state that an
// Observer was told is final, and a line of a log before it, are in the history by
// then. A body may have begun that the history does not know of yet, for a moment, so
// a body that was cut short may run once more than its attempts say: tasks run at
// least once, and the results of those that completed are used exactly once.
//
// # Who runs a run
//
// A run at the top belongs to one process, with its subflows. What others want of
// it they ask with [History.Signal]: cancel, pause, resume with input. What a
// process leaves behind when it dies is found CRASHED, and [Recover] goes on with
// it. Slots of concurrency limits are held by calls, in whatever process.
package engine
