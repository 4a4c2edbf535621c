package history

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/taximeter/taximeter/engine"
)

var noop = engine.Task[int, int]{Name: "No-op", Func: func(_ context.Context, n int) (int, error) { return n, nil }}

func newEngine(b *testing.B, d Durability) *engine.Engine {
	b.Helper()
	s, err := Config{Dir: b.TempDir(), Durability: d}.Open(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return &engine.Engine{History: s, Version: "bench", Logger: slog.New(slog.DiscardHandler)}
}

// run starts a flow with the body.
func run(b *testing.B, e *engine.Engine, body func(c *engine.Ctx) error) {
	b.Helper()
	f := engine.Flow[int, int]{Name: "bench", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) { return engine.Val(n), body(c) }}
	if _, _, err := f.Start(b.Context(), e, 0, engine.Options{}); err != nil {
		b.Fatal(err)
	}
}

// percentiles reports the median and the 95th percentile of times.
func percentiles(b *testing.B, times []time.Duration) {
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(times[len(times)*95/100].Microseconds()), "p95-µs")
}

// One task after the other, each on the disk before the next begins.
func BenchmarkSequential(b *testing.B) {
	for _, d := range []Durability{Process, Power} {
		b.Run(string(d), func(b *testing.B) {
			e := newEngine(b, d)
			var times []time.Duration
			run(b, e, func(c *engine.Ctx) error {
				for i := range b.N {
					begun := time.Now()
					if _, err := noop.Run(c, engine.Val(i)); err != nil {
						return err
					}
					times = append(times, time.Since(begun))
				}
				return nil
			})
			percentiles(b, times)
		})
	}
}

func BenchmarkFanOut(b *testing.B) {
	const tasks = 10_000
	values := make([]int, tasks)
	for i := range values {
		values[i] = i
	}
	for _, d := range []Durability{Process, Power} {
		b.Run(string(d), func(b *testing.B) {
			e := newEngine(b, d)
			before, goroutines := resident(b), runtime.NumGoroutine()
			for b.Loop() {
				run(b, e, func(c *engine.Ctx) error {
					for _, f := range noop.Map(c, engine.Values(values...)) {
						if err := f.Wait(); err != nil {
							return err
						}
					}
					return nil
				})
			}
			b.ReportMetric(tasks/(b.Elapsed().Seconds()/float64(b.N)), "tasks/s")
			b.ReportMetric(resident(b)-before, "MB-more")
			time.Sleep(2 * lookEvery) // until those that listened have ended
			b.ReportMetric(float64(runtime.NumGoroutine()-goroutines), "goroutines-more")
		})
	}
}

func BenchmarkCachedHit(b *testing.B) {
	e := newEngine(b, Process)
	kept := noop
	kept.Cache.On = true
	run(b, e, func(c *engine.Ctx) error { return kept.Submit(c, engine.Val(1)).Wait() })
	var times []time.Duration
	run(b, e, func(c *engine.Ctx) error {
		for range b.N {
			begun := time.Now()
			if _, err := kept.Run(c, engine.Val(1)); err != nil {
				return err
			}
			times = append(times, time.Since(begun))
		}
		return nil
	})
	percentiles(b, times)
}

// A run at the top, from the call until its body begins.
func BenchmarkAdHocStart(b *testing.B) {
	for _, d := range []Durability{Process, Power} {
		b.Run(string(d), func(b *testing.B) {
			e := newEngine(b, d)
			var times []time.Duration
			for b.Loop() {
				begun := time.Now()
				run(b, e, func(*engine.Ctx) error { times = append(times, time.Since(begun)); return nil })
			}
			percentiles(b, times)
		})
	}
}

// Running runs whose process is gone are found and taken over.
func BenchmarkRestart(b *testing.B) {
	const runs = 100
	for b.Loop() {
		b.StopTimer()
		dir := b.TempDir()
		dead, err := Open(b.Context(), dir)
		if err != nil {
			b.Fatal(err)
		}
		e := &engine.Engine{History: dead, Version: "bench", Logger: slog.New(slog.DiscardHandler)}
		ctx, stop := context.WithCancel(b.Context())
		begun := make(chan struct{}, runs)
		stuck := engine.Flow[int, int]{Name: "bench", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) {
			if _, err := noop.Run(c, engine.Val(n)); err != nil {
				return nil, err
			}
			begun <- struct{}{}
			<-ctx.Done()
			return engine.Val(n), nil
		}}
		for range runs {
			go stuck.Start(context.Background(), e, 0, engine.Options{})
		}
		for range runs {
			<-begun
		}
		if err := dead.owner.release(); err != nil { // as if it were gone
			b.Fatal(err)
		}
		b.StartTimer()
		s, err := Open(b.Context(), dir)
		if err != nil {
			b.Fatal(err)
		}
		crashed, err := s.Reap(b.Context())
		if err != nil || len(crashed) != runs {
			b.Fatal(len(crashed), err)
		}
		fine := engine.Flow[int, int]{Name: "bench", Func: func(c *engine.Ctx, n int) (engine.Arg[int], error) { return noop.Submit(c, engine.Val(n)), nil }}
		again := &engine.Engine{History: s, Version: "bench", Logger: slog.New(slog.DiscardHandler)}
		for _, r := range crashed {
			if _, err := fine.Execute(b.Context(), again, r.ID); err != nil {
				b.Fatal(err)
			}
		}
		b.StopTimer()
		stop()
		s.Close()
		dead.Close()
		b.StartTimer()
	}
}

func BenchmarkListOf100000(b *testing.B) {
	s, err := Open(b.Context(), b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	at := now().Add(-100_000 * time.Second)
	fill(b, s, at)
	for name, q := range map[string]engine.RunQuery{
		"all":       {},
		"flow":      {Flow: "flow-7"},
		"window":    {CreatedFrom: at.Add(100 * time.Second), CreatedBefore: at.Add(200 * time.Second)},
		"before":    {CreatedBefore: at.Add(50 * time.Second)},
		"scheduled": {States: []engine.StateType{engine.TypeScheduled}, Ahead: true},
		"failed":    {States: []engine.StateType{engine.TypeFailed}},
		"tag":       {Tags: []string{"tag-7"}},
		"name":      {Name: "zzzz"},
		"subflows":  {Subflows: true},
		"ahead":     {Ahead: true, Flow: "flow-7"},
	} {
		b.Run(name, func(b *testing.B) {
			var times []time.Duration
			q.Limit = 100
			for b.Loop() {
				begun := time.Now()
				if _, err := s.Search(b.Context(), q); err != nil {
					b.Fatal(err)
				}
				times = append(times, time.Since(begun))
			}
			percentiles(b, times)
		})
	}
}

// fill makes 100,000 runs, one a second, and a thousand that schedules made ahead.
func fill(b *testing.B, s *Store, at time.Time) {
	b.Helper()
	err := s.writer.write(func(batch *batch) error {
		for i := range 101_000 {
			r := engine.FlowRun{
				ID: engine.NewID(), Flow: "flow-" + strconv.Itoa(i%50), Name: engine.RunName(), Parameters: []byte(`{"n":1}`), Tags: []string{"tag-" + strconv.Itoa(i%1000)},
				Created: at.Add(time.Duration(i) * time.Second), ExpectedStart: at, State: engine.State{Type: engine.TypePending, Name: engine.NamePending, Time: at},
			}
			if r.RootID = r.ID; i >= 100_000 {
				r.State.Type, r.State.Name = engine.TypeScheduled, engine.NameScheduled
				r.ExpectedStart = r.Created.Add(time.Hour)
			}
			if _, err := s.insertFlowRun(b.Context(), batch.tx, r); err != nil {
				return err
			}
		}
		_, err := batch.tx.ExecContext(b.Context(), `UPDATE flow_run SET schedule = 'often' WHERE state_type = 'SCHEDULED'`)
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
}

// What a process that has a history open and does nothing keeps in memory.
func BenchmarkIdle(b *testing.B) {
	e := newEngine(b, Process)
	run(b, e, func(c *engine.Ctx) error { return noop.Submit(c, engine.Val(1)).Wait() })
	for b.Loop() {
		runtime.GC()
	}
	b.ReportMetric(resident(b), "MB")
}

// resident is what the process keeps in memory, in MB.
func resident(b *testing.B) (mb float64) {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.SplitSeq(string(status), "\n") {
		if n, err := fmt.Sscanf(line, "VmRSS: %f kB", &mb); n == 1 && err == nil {
			return mb / 1024
		}
	}
	b.Fatal("the system does not say how much memory is used")
	return 0
}

func BenchmarkLogLines(b *testing.B) {
	e := newEngine(b, Process)
	run(b, e, func(c *engine.Ctx) error {
		log := c.Log()
		b.ResetTimer()
		for i := range b.N {
			log.Info("a line of a log, as long as most of them are", "i", i)
		}
		return nil
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}
