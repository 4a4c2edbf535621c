// Package registrytest holds the rules that every registry.Service keeps: the
// store, our client with our server, and our client with MLflow's own server.
// It does not know which of them it looks at. Each rule uses names of its own,
// so that one service may serve all rules, and others, at once.
package registrytest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/taximeter/taximeter/registry"
)

// Suite checks a service against the rules.
type Suite struct {
	// New returns the service to check, fresh or not.
	New func(t *testing.T) registry.Service
	// Exempt names rules that the service is known to break, with the reason.
	// An exempt rule that is kept after all is an error.
	Exempt map[string]string
}

// Run checks the services that newService returns against every rule.
func Run(t *testing.T, newService func(t *testing.T) registry.Service) {
	Suite{New: newService}.Run(t)
}

// Run checks every rule in a subtest of its name.
func (s Suite) Run(t *testing.T) {
	for name := range s.Exempt {
		if !slices.ContainsFunc(rules(), func(r rule) bool { return r.name == name }) {
			t.Errorf("exemption for %q, which is no rule", name)
		}
	}
	for _, r := range rules() {
		t.Run(r.name, func(t *testing.T) {
			failures := r.broken(t.Context(), s.New(t))
			reason, exempt := s.Exempt[r.name]
			switch {
			case exempt && len(failures) == 0:
				t.Errorf("the rule is kept; remove its exemption: %s", reason)
			case exempt:
				t.Logf("exempt: %s\n%s", reason, strings.Join(failures, "\n"))
			default:
				for _, f := range failures {
					t.Error(f)
				}
			}
		})
	}
}

// rule is one thing that a service does.
type rule struct {
	name  string
	check func(c *checker)
}

func rules() []rule {
	return slices.Concat(experimentRules, runRules, paramRules, metricRules, searchRules, artifactRules, modelRules, versionRules, loggedModelRules, crowdRules,
		limitRules, pagingRules, orderRules, datasetRules, sourceRules)
}

// checker is what a rule looks at a service through.
type checker struct {
	registry.Service
	ctx      context.Context
	failures []string
}

type stop struct{}

// broken returns how the service breaks the rule.
func (r rule) broken(ctx context.Context, service registry.Service) (failures []string) {
	c := &checker{Service: service, ctx: ctx}
	defer func() {
		if p := recover(); p != nil && p != (stop{}) {
			panic(p)
		}
		failures = c.failures
	}()
	r.check(c)
	return
}

func (c *checker) errorf(format string, args ...any) {
	c.failures = append(c.failures, fmt.Sprintf(format, args...))
}

// must ends the rule if err is not nil.
func (c *checker) must(err error) {
	if err != nil {
		c.errorf("%v", err)
		panic(stop{})
	}
}

// refused checks that err has the code, and words in its message.
func (c *checker) refused(what string, err error, code registry.Code, words ...string) {
	if err == nil {
		c.errorf("%s: no error, want %s", what, code)
		return
	}
	if got := registry.CodeOf(err); got != code {
		c.errorf("%s: %v, want code %s", what, err, code)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			c.errorf("%s: error %q does not say %q", what, err, w)
		}
	}
}

// name returns a name that nothing has yet.
func (c *checker) name(prefix string) string {
	return fmt.Sprintf("%s-%08x", prefix, rand.Uint32())
}

// experiment makes an experiment.
func (c *checker) experiment() string {
	id, err := c.CreateExperiment(c.ctx, registry.NewExperiment{Name: c.name("experiment")})
	c.must(err)
	return id
}

// run makes a run in an experiment.
func (c *checker) run(experiment string, tags ...registry.Tag) string {
	r, err := c.CreateRun(c.ctx, registry.NewRun{ExperimentID: experiment, StartTime: 1, Tags: tags})
	c.must(err)
	return r.Info.RunID
}

// model makes a registered model, and a run to make versions of.
func (c *checker) model() (name, runID string) {
	m, err := c.CreateRegisteredModel(c.ctx, registry.NewRegisteredModel{Name: c.name("model")})
	c.must(err)
	return m.Name, c.run(c.experiment())
}

// version makes a version of a model from a run.
func (c *checker) version(name, runID string) registry.ModelVersion {
	v, err := c.CreateModelVersion(c.ctx, registry.NewModelVersion{Name: name, RunID: runID, Source: "runs:/" + runID + "/model"})
	c.must(err)
	return v
}

// equal checks that got is want.
func equal[T comparable](c *checker, what string, got, want T) {
	if got != want {
		c.errorf("%s: got %v, want %v", what, got, want)
	}
}

// same checks that the lists are equal.
func same[T comparable](c *checker, what string, got, want []T) {
	if !slices.Equal(got, want) {
		c.errorf("%s: got %v, want %v", what, got, want)
	}
}
