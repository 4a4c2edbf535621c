package engine

// GraphQuery says which calls of a flow run, and of the subflows below it, are
// wanted.
type GraphQuery struct {
	FlowRunID string
	Depth     int         // levels of subflows below the run
	States    []StateType // none: all
	Since     int64       // with a number: only calls of which an event tells since then
	Limit     int         // how many calls at most: failed and unfinished ones first, then as they were made
}

// Graph is a flow run with its calls, as they were at one time.
type Graph struct {
	Runs  []FlowRun // the run, then its subflows in the order in which they were made
	Calls []TaskRun // by flow run, in their order
	// Total counts the calls of all these runs by state, also those that are not in
	// Calls.
	Total map[StateType]int
	Seq   int64 // number of the newest event by then
	Whole bool  // Since is too long ago: these are all
}
