package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/taximeter/taximeter/engine"
)

// Facts says where facts are asked for.
type Facts struct {
	URL string `json:"url" default:"https://catfact.ninja/fact"`
}

// fetchFact asks a server that may be down for a moment.
var fetchFact = engine.Task[string, string]{
	Name:  "Fetch fact",
	Retry: engine.Retry{Max: 4, Delay: 100 * time.Millisecond},
	Func: func(ctx context.Context, url string) (string, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return "", engine.Permanent(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return "", fmt.Errorf("get %s: %s", url, resp.Status)
		}
		var answer struct {
			Fact  string   // as servers of cats answer
			Facts []string // and those of dogs
		}
		if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
			return "", fmt.Errorf("get %s: %w", url, err)
		}
		facts := append(answer.Facts, answer.Fact)
		fmt.Fprintln(engine.From(ctx).Out(), facts[0])
		return facts[0], nil
	},
}

var catFacts = engine.Flow[Facts, string]{Name: "cat-facts", Description: "Tell a fact about cats", Func: tell}

var dogFacts = engine.Flow[Facts, string]{Name: "dog-facts", Description: "Tell a fact about dogs", Func: tell}

func tell(c *engine.Ctx, f Facts) (engine.Arg[string], error) {
	return fetchFact.Submit(c, engine.Val(f.URL)), nil
}

// AnimalFacts says where facts about each animal are asked for.
type AnimalFacts struct {
	CatURL string `json:"cat_url" default:"https://catfact.ninja/fact"`
	DogURL string `json:"dog_url" default:"https://dog-api.kinduff.com/api/facts"`
}

// animalFacts runs two subflows at once, each a run of its own.
var animalFacts = engine.Flow[AnimalFacts, string]{
	Name: "animal-facts", Description: "Tell a fact about cats and one about dogs",
	Func: func(c *engine.Ctx, in AnimalFacts) (engine.Arg[string], error) {
		cat := catFacts.Submit(c, engine.Val(Facts{in.CatURL}))
		dog := dogFacts.Submit(c, engine.Val(Facts{in.DogURL}))
		return engine.Join2(cat, dog, func(cat, dog string) string { return cat + "\n" + dog }), nil
	},
}
