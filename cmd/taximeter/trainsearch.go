package main

import (
	"slices"
	"strings"

	"github.com/taximeter/taximeter/engine/enginecmd"
	"github.com/taximeter/taximeter/features"
	"github.com/taximeter/taximeter/pipeline"
)

// searchFlags say how to search, and nothing where there is one model.
var searchFlags = []string{"trials", "search", "seed", "batch", "parallel-trials"}

// searchParams are the flags of the search. given tells which flags were typed.
func (f trainFlags) searchParams(given func(flag string) bool) (s pipeline.Search, err error) {
	s = pipeline.Search{Method: pipeline.Method(f.search), TrialCount: f.trials, Seed: f.seed, Batch: f.batch, Parallel: f.parallel}
	switch {
	case !slices.Contains(pipeline.Methods(), s.Method):
		return s, enginecmd.Usage(`--search %q: want "tpe" or "random"`, f.search)
	case f.trials < 0 || f.trials > 1000:
		return s, enginecmd.Usage("--trials %d: want a number from 0 to 1000", f.trials)
	case f.batch < 1 || f.batch > 1000:
		return s, enginecmd.Usage("--batch %d: want a number from 1 to 1000", f.batch)
	case f.parallel < 1 || f.parallel > 1000:
		return s, enginecmd.Usage("--parallel-trials %d: want a number from 1 to 1000", f.parallel)
	case f.parallel > f.batch && s.Method == pipeline.TPE:
		return s, enginecmd.Usage("--parallel-trials %d: no more can run at once than are proposed together", f.parallel).Hint("--batch %d proposes as many", f.parallel)
	}
	for _, name := range f.features {
		e, err := features.ParseEncoding(name)
		if err != nil {
			return s, enginecmd.Usage("--features: %v", err)
		}
		if !slices.Contains(s.Encodings, e) {
			s.Encodings = append(s.Encodings, e)
		}
	}
	if f.params == "best" {
		var useless []string
		for _, flag := range searchFlags {
			if given(flag) && (flag != "trials" || f.trials != 1) {
				useless = append(useless, "--"+flag)
			}
		}
		if len(useless) > 0 {
			return s, enginecmd.Usage("--params best is one model, and nothing is searched: it does not go with %s", strings.Join(useless, ", "))
		}
	}
	switch {
	case f.params == "best" && len(s.Encodings) > 1:
		return s, enginecmd.Usage("--params best is one model: it sees one of --features")
	case f.params == "best":
		s = pipeline.Search{TrialCount: 1, Seed: f.seed, Encodings: s.Encodings}
		s.Encodings = append(s.Encodings, features.Pair)[:1]
	case len(s.Encodings) == 0:
		s.Encodings = features.Encodings()
	}
	return s, nil
}

// encodings lists the feature encodings for people.
func encodings() string {
	var names []string
	for _, e := range features.Encodings() {
		names = append(names, string(e))
	}
	return strings.Join(names, " ")
}
