package main

import (
	"context"
	"database/sql"
	"log/slog"
	"time"

	"github.com/dbos-inc/dbos-transact-golang/dbos"
	_ "github.com/dbos-inc/dbos-transact-golang/dbos/driver/sqlite"
)

// full opens a database as DBOS does, which is at synchronous=NORMAL with a write-ahead
// log, but at FULL.
func full(database string) *sql.DB {
	db, err := sql.Open("sqlite", database+"?_txlock=immediate&_pragma=busy_timeout(5000)&_pragma=foreign_keys(ON)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	check(err)
	db.SetMaxOpenConns(8)
	db.SetMaxIdleConns(4)
	return db
}

func onDBOS(where dbos.Config, sequential, fanout int) figures {
	where.AppName, where.ApplicationVersion, where.Logger = "bench", "bench", slog.New(slog.DiscardHandler)
	ctx, err := dbos.NewContext(context.Background(), where)
	check(err)
	one := func(ctx dbos.Context, n int) ([]time.Duration, error) {
		var times []time.Duration
		for i := range n {
			begun := time.Now()
			if _, err := dbos.RunAsStep(ctx, func(context.Context) (int, error) { return i, nil }); err != nil {
				return nil, err
			}
			times = append(times, time.Since(begun))
		}
		return times, nil
	}
	many := func(ctx dbos.Context, n int) (time.Duration, error) {
		begun := time.Now()
		var steps []<-chan dbos.StepOutcome[int]
		for i := range n {
			step, err := dbos.Go(ctx, func(context.Context) (int, error) { return i, nil })
			if err != nil {
				return 0, err
			}
			steps = append(steps, step)
		}
		for _, step := range steps {
			if outcome := <-step; outcome.Err != nil {
				return 0, outcome.Err
			}
		}
		return time.Since(begun), nil
	}
	empty := func(_ dbos.Context, begun time.Time) (time.Duration, error) { return time.Since(begun), nil }
	dbos.RegisterWorkflow(ctx, one, dbos.WithWorkflowName("one"))
	dbos.RegisterWorkflow(ctx, many, dbos.WithWorkflowName("many"))
	dbos.RegisterWorkflow(ctx, empty, dbos.WithWorkflowName("empty"))
	check(dbos.Launch(ctx))

	result(ctx, one, 1) // to be warm
	var starts []time.Duration
	for range 100 {
		starts = append(starts, result(ctx, empty, time.Now()))
	}
	f := figures{
		Sequential: median(result(ctx, one, sequential)),
		FanOut:     float64(fanout) / result(ctx, many, fanout).Seconds(),
		Start:      median(starts),
	}
	check(dbos.Shutdown(ctx, 10*time.Second))
	return f
}

// result runs a workflow to its end.
func result[P, R any](ctx dbos.Context, f dbos.Workflow[P, R], input P) R {
	handle, err := dbos.RunWorkflow(ctx, f, input)
	check(err)
	r, err := handle.GetResult()
	check(err)
	return r
}
