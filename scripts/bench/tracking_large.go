//go:build ignore

// Command tracking_large fills a fresh home with 100,000 runs of 20 metrics in
// one experiment, for tracking.py to search in.
package main

import (
	"context"
	"fmt"
	"log"
	"math/rand"
	"os"

	"github.com/taximeter/taximeter/registry"
	"github.com/taximeter/taximeter/registry/store"
)

const runs, metrics = 100_000, 20

func main() {
	if err := fill(context.Background(), os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func fill(ctx context.Context, home string) error {
	s, err := store.Open(ctx, home)
	if err != nil {
		return err
	}
	defer s.Close()
	id, err := s.CreateExperiment(ctx, registry.NewExperiment{Name: "large"})
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewSource(6))
	for i := range runs {
		r, err := s.CreateRun(ctx, registry.NewRun{ExperimentID: id, StartTime: 1_700_000_000_000 + int64(i)})
		if err != nil {
			return err
		}
		b := registry.Batch{Params: []registry.Param{{Key: "p", Value: fmt.Sprint(i % 10)}}}
		for k := range metrics {
			b.Metrics = append(b.Metrics, registry.Metric{Key: fmt.Sprintf("m%d", k), Value: rng.Float64(), Timestamp: 1})
		}
		if err := s.LogBatch(ctx, r.Info.RunID, b); err != nil {
			return err
		}
	}
	fmt.Println(id)
	return nil
}
