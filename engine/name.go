package engine

import (
	"math/rand/v2"
	"strings"
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

// runName returns a name for people, such as "flashy-dove". It identifies
// nothing.
func runName() string {
	return adjectives[rand.IntN(len(adjectives))] + "-" + animals[rand.IntN(len(animals))]
}

// slug turns a task's name into the word its key is made of: "Read taxi data"
// becomes "read-taxi-data".
func slug(name string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_'
	}), "-")
}
