// Command hello is a stranger's program: its flows know no taxi, and it has the
// same commands, worker and API.
package main

import (
	"os"

	"github.com/taximeter/taximeter/engine"
	"github.com/taximeter/taximeter/engine/enginecmd"
)

func main() { os.Exit(run()) }

func run() int {
	a := &enginecmd.App{Name: "hello", Flows: []engine.Runnable{hello, catFacts, animalFacts}}
	return a.Main(a.Command("Greet people, and tell facts about animals"), os.Args[1:])
}
