// Package schedule says which run of a deployment is due when: intervals, cron
// expressions and RRULEs in a time zone, how far ahead runs are made, what
// becomes of those that were missed, and how all this is written down in
// taximeter.yaml. It is pure: it does not know the present time, a database or a
// worker.
//
// A [Deployment] is a flow with parameters and any number of schedules. A
// [Schedule] has a slug, which is its identity: a run is made once for each
// deployment, slug and instant, so that an edited schedule neither doubles runs
// nor leaves any behind.
//
//	an instant within the Horizon ──► Scheduled ──► Late ──► a worker's
//	                                     │            │
//	one that nobody was there for        └────────────┴──► gone, where the schedule is
//	   │                                                   edited, paused or deleted
//	   └─► CatchUp ──► Scheduled, due at once; or CANCELLED (Skipped), with the reason
//
// # Clocks
//
// Cron and RRULE are rules about a wall clock. A time that the clock shows twice,
// in autumn, is the first of the two: nothing fires twice. A time that it skips,
// in spring, is the moment after the gap: nothing is left out, and what falls
// together there fires once. An interval under a day counts elapsed time; one of
// days keeps its wall time.
package schedule
