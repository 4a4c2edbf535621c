package gbt

import (
	"runtime"
	"sync/atomic"
	"testing"
)

// On fewer processors than it has workers, and on more, a crew does each thing
// once and waits for nobody who did not come.
func atProcessors(t *testing.T, do func(t *testing.T, c *crew)) {
	for _, procs := range []int{1, 2, 5} {
		func() {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			for size := 1; size <= 4; size++ {
				c := newCrew(size)
				do(t, c)
				c.dismiss()
			}
		}()
	}
}

func TestCrewDoesEachPieceOnce(t *testing.T) {
	atProcessors(t, func(t *testing.T, c *crew) {
		for n := range 200 {
			done := make([]atomic.Int32, n)
			c.pieces(n, 3, func(from, to int) {
				for i := from; i < to; i++ {
					done[i].Add(1)
				}
			})
			for i := range done {
				if times := done[i].Load(); times != 1 {
					t.Fatalf("crew of %d: %d of %d done %d times", c.size, i, n, times)
				}
			}
		}
	})
}

func TestCrewVisitsEachNodeAndDoesEachErrandOnce(t *testing.T) {
	const depth, rounds, jobs = 9, 60, 3
	atProcessors(t, func(t *testing.T, c *crew) {
		for round := range rounds {
			var visits, errandsDone atomic.Int32
			aside := &errands{do: func(int) { errandsDone.Add(1) }}
			aside.renew(jobs)
			todo := make([][]int, c.size)
			todo[0] = []int{depth}
			e := newExchange[int](c, aside)
			c.do(func(worker int) {
				mine := &todo[worker]
				visit := func(n int) {
					visits.Add(1)
					if n > 0 {
						*mine = append(*mine, n-1, n-1)
					}
				}
				work(e, worker, mine, visit, func(*int) int { return worthOffering })
			})
			if n := visits.Load(); n != 2<<depth-1 {
				t.Fatalf("crew of %d, round %d: %d visits, want %d", c.size, round, n, 2<<depth-1)
			}
			if n := errandsDone.Load(); n != jobs {
				t.Fatalf("crew of %d, round %d: %d errands done, want %d", c.size, round, n, jobs)
			}
		}
	})
}
