// Package worker takes runs that are due from a work pool and has them carried
// out, each by one worker only. It does not know where runs are kept: a [Source]
// gives them, which may be the history in this process or a client of its API.
//
// A work [Pool] holds runs in queues; a [Queue] has a priority and may be paused
// or limited. A [Worker] claims what is due, as many at once as it may, hands each
// run to its [Runner], and says every few seconds that it lives. The run itself
// is the engine's: whoever carries it out adopts it, records its states and sees
// when it is cancelled.
//
//	          Claim                    Runner.Run              Done
//	SCHEDULED ─────► claimed, PENDING ──────────► carried out ──────► free
//	    ▲                   │                         │
//	    └── Release ────────┘ or its worker is gone   └─► gone without an end: CRASHED,
//	                                                      then again, as the deployment says
package worker
