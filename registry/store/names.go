package store

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

var (
	adjectives = strings.Fields(`able amber bold brave bright calm clean clever cool crisp eager fair fast fine fleet
		fond free fresh gentle glad golden good grand happy keen kind light lively lucky merry mild neat nimble noble
		polite proud quick quiet rapid rare shiny silver sleek smart smooth steady stoic strong swift tidy upbeat warm wise witty`)
	nouns = strings.Fields(`ant ape bass bear bee bird boar bug calf cat chimp cod colt conch cow crab crane croc crow cub
		deer doe dog dove duck eel elk fawn finch fish fly foal fowl fox frog gnat goat goose grouse gull hare hawk hen horse
		jay koi lamb lark loon lynx mare mink mole moose moth mouse mule newt owl panda penguin perch pig pug quail ram rat
		rook seal shad shark sheep shrew skunk sloth slug smelt snail snake snipe sow sponge squid stag stork swan toad trout
		turtle vole wasp whale wolf worm wren yak zebra`)
)

// randomName makes up a run's name, such as swift-crane-417.
func randomName() string {
	return fmt.Sprintf("%s-%s-%d", adjectives[rand.IntN(len(adjectives))], nouns[rand.IntN(len(nouns))], rand.IntN(1000))
}
