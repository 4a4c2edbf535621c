// Command engines does the no-op work of bench-engine on an engine that is a Go library,
// in a module of its own so that it is no dependency of the product. It prints one JSON
// object.
//
//	engines dbos|dbos-power|go-workflows DATABASE SEQUENTIAL FANOUT
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/dbos-inc/dbos-transact-golang/dbos"
)

// figures are what one engine did: the time of one step after another and until the body
// of a run begins, and how many steps at once it does in a second.
type figures struct {
	Sequential float64 `json:"sequential_ms"`
	FanOut     float64 `json:"fanout_rate"`
	Start      float64 `json:"start_ms"`
}

func main() {
	database, sequential, fanout := os.Args[2], number(os.Args[3]), number(os.Args[4])
	var f figures
	switch peer := os.Args[1]; peer {
	case "dbos":
		f = onDBOS(dbos.Config{DatabaseURL: "sqlite:" + database}, sequential, fanout)
	case "dbos-power":
		f = onDBOS(dbos.Config{SQLiteSystemDB: full(database)}, sequential, fanout)
	case "go-workflows":
		f = onGoWorkflows(database, sequential, fanout)
	default:
		check(fmt.Errorf("no engine %q", peer))
	}
	check(json.NewEncoder(os.Stdout).Encode(f))
}

// median is in milliseconds.
func median(times []time.Duration) float64 {
	slices.Sort(times)
	return times[len(times)/2].Seconds() * 1000
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	check(err)
	return n
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
