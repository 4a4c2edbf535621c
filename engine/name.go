package engine

import (
	"encoding/json"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

var (
	adjectives = strings.Fields(`amber ancient bold brave breezy bright calm clever crisp curious daring
		dusty eager early electric fancy flashy fleet gentle gilded glossy golden hasty humble icy jolly keen
		late lively lucky mellow merry misty neat nimble noble patient plucky polite proud quick quiet rapid
		rosy rusty shiny silent silver sleek smooth snappy solid spry steady sunny swift tidy vivid warm witty`)
	animals = strings.Fields(`albatross badger beaver bison bobcat caribou cheetah condor coyote crane cricket
		dingo dolphin dove eagle egret falcon ferret finch fox gazelle gecko goose hare hawk heron hornet ibis
		jackal jaguar kestrel kiwi koala lemur lynx magpie marmot marten mole moose newt ocelot osprey otter
		owl panda pelican pigeon puffin quail raven robin salmon seal sparrow starling stoat stork swan tapir
		tern toucan turtle viper walrus weasel wombat wren yak zebra`)
)

// RunName returns a name for people, such as "flashy-dove". It identifies
// nothing.
func RunName() string {
	return adjectives[rand.IntN(len(adjectives))] + "-" + animals[rand.IntN(len(animals))]
}

// slug turns a task's name into the word its key is made of: "Read taxi data"
// becomes "read-taxi-data".
func slug(name string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_'
	}), "-")
}

// runName is the name of a run by the flow's template, or a random one.
func (f Flow[I, O]) runName(run FlowRun) string {
	if f.RunName == "" {
		return RunName()
	}
	return fillIn(f.RunName, run.Parameters, map[string]string{
		"flow": f.Name, "expected_start": run.ExpectedStart.Format(time.RFC3339),
	})
}

// longestName is how many letters a name by a template has at most.
const longestName = 200

var inBraces = regexp.MustCompile(`\{[\w.-]+\}`)

// fillIn replaces {name} in a template by the field of that name in JSON, which may
// be within others, or else by the word. What stands for nothing is left as it is.
func fillIn(template string, input json.RawMessage, words map[string]string) string {
	name := inBraces.ReplaceAllStringFunc(template, func(braces string) string {
		name := strings.Trim(braces, "{}")
		if v := field(input, name); v != nil {
			return plain(v)
		}
		if w, ok := words[name]; ok {
			return w
		}
		if name == "input" && len(input) > 0 {
			return plain(input)
		}
		return braces
	})
	if runes := []rune(name); len(runes) > longestName {
		name = string(runes[:longestName]) + "…"
	}
	return name
}

// field is what stands at a path such as train.month in a JSON object, or nil.
func field(object json.RawMessage, path string) json.RawMessage {
	var fields map[string]json.RawMessage
	if json.Unmarshal(object, &fields) != nil {
		return nil // what is no object has no fields
	}
	if v, ok := fields[path]; ok {
		return v
	}
	first, rest, _ := strings.Cut(path, ".")
	if v, ok := fields[first]; ok && rest != "" {
		return field(v, rest)
	}
	return nil
}

// plain is a JSON value as people write it.
func plain(v json.RawMessage) string {
	var text string
	if json.Unmarshal(v, &text) == nil {
		return text
	}
	return string(v)
}

// union returns the words of both lists, sorted, each once.
func union(a, b []string) []string {
	all := slices.Concat(a, b)
	slices.Sort(all)
	return slices.Compact(all)
}
