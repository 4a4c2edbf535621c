package data

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
)

// defaultRows is about what a green month of 2021 to 2023 holds.
const defaultRows = 70_000

// Synth is a month that never was: TLC's columns, types and dirt, over a city of
// 265 zones that is the same in every month. It exists so that everything runs
// where the real months cannot be had; what models score on it is near what they
// score on the real ones, and means nothing.
type Synth struct {
	Taxi  Taxi   // zero: Green
	Month Month  // required
	Rows  int    // zero: about as many as a green month has
	Seed  uint64 // months of one seed differ among themselves; zero is a seed like any other
}

// Write writes the month as a Parquet file. One build of this program writes
// the same bytes for the same fields, on every machine of an architecture.
func (s Synth) Write(ctx context.Context, w io.Writer) error {
	if s.Taxi == "" {
		s.Taxi = Green
	}
	if s.Rows == 0 {
		s.Rows = defaultRows
	}
	if err := s.write(ctx, w); err != nil {
		return fmt.Errorf("make %s %s: %w", s.Taxi, s.Month, err)
	}
	return nil
}

func (s Synth) write(ctx context.Context, w io.Writer) error {
	if _, err := ParseTaxi(string(s.Taxi)); err != nil {
		return err
	}
	if s.Month.IsZero() {
		return fmt.Errorf("no month given")
	}
	if s.Rows < 0 {
		return fmt.Errorf("%d rows: want a positive number, or 0 for %d", s.Rows, defaultRows)
	}
	rides, err := s.rides(ctx)
	if err != nil {
		return err
	}
	return writeRides(ctx, w, synthColumns(s.Taxi, s.Month), s.Month, rides)
}

// rides draws the month's rides in the order TLC has them: those of the meters
// by time, then those that were dispatched by time.
func (s Synth) rides(ctx context.Context) ([]ride, error) {
	stream := uint64(s.Month.number())
	if s.Taxi == Yellow {
		stream |= 1 << 32
	}
	d := newDriver(rand.New(rand.NewPCG(s.Seed, stream)), s.Taxi, s.Month)
	rides := make([]ride, s.Rows)
	for i := range rides {
		if i%4096 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		rides[i] = d.ride()
	}
	slices.SortStableFunc(rides, func(a, b ride) int {
		if a.dispatched != b.dispatched {
			if b.dispatched {
				return -1
			}
			return 1
		}
		return int(a.pickup - b.pickup)
	})
	d.misplace(rides)
	return rides, nil
}
