package registrytest

import (
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/taximeter/taximeter/registry"
)

var crowdRules = []rule{
	{"crowd/versions made at once are consecutive", func(c *checker) {
		name, run := c.model()
		const each, clients = 5, 4
		numbers := make([]int, each*clients)
		errs := make([]error, clients)
		var wg sync.WaitGroup
		for i := range clients {
			wg.Go(func() {
				for j := range each {
					v, err := c.CreateModelVersion(c.ctx, registry.NewModelVersion{Name: name, RunID: run, Source: "runs:/" + run + "/model"})
					if err != nil {
						errs[i] = err
						return
					}
					numbers[i*each+j], errs[i] = strconv.Atoi(v.Version)
				}
			})
		}
		wg.Wait()
		for _, err := range errs {
			c.must(err)
		}
		slices.Sort(numbers)
		for i, n := range numbers {
			equal(c, "version", n, i+1)
		}
	}},
	{"crowd/no point is lost", func(c *checker) {
		id := c.run(c.experiment())
		const each, clients = 10, 4
		errs := make([]error, clients)
		var wg sync.WaitGroup
		for i := range clients {
			wg.Go(func() {
				for j := range each {
					b := registry.Batch{Metrics: []registry.Metric{{Key: "m", Value: float64(i), Timestamp: int64(j), Step: int64(i)},
						{Key: fmt.Sprintf("own/%d", i), Value: float64(j), Timestamp: int64(j)}}}
					if err := c.LogBatch(c.ctx, id, b); err != nil {
						errs[i] = err
						return
					}
				}
			})
		}
		wg.Wait()
		for _, err := range errs {
			c.must(err)
		}
		equal(c, "points", len(c.history(id, "m")), each*clients)
		equal(c, "latest", c.latest(id, "m"), clients-1)
		for i := range clients {
			equal(c, "latest of its own", c.latest(id, fmt.Sprintf("own/%d", i)), each-1)
		}
	}},
}
