//go:build bench

package features

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/taximeter/taximeter/data"
)

// TestDataWork does what scripts/bench/data.py asks for, a line of JSON at a time
// on stdin, and prints how long it took and what came of it: "read" is a month's
// file to data.Trips, "matrix" goes on to a fitted design matrix.
func TestDataWork(t *testing.T) {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var ask struct{ Work, Path string }
		if err := json.Unmarshal(lines.Bytes(), &ask); err != nil {
			t.Fatal(err)
		}
		result := map[string]any{}
		begin := time.Now()
		trips, err := data.ReadTrips(t.Context(), data.File{Path: ask.Path})
		if err != nil {
			t.Fatal(err)
		}
		if ask.Work == "matrix" {
			kept, _ := trips.Kept()
			v, err := Fit(Pair, kept)
			if err != nil {
				t.Fatal(err)
			}
			x, err := v.Transform(FromTrips(Pair, kept))
			if err != nil {
				t.Fatal(err)
			}
			result["rows"], result["columns"] = x.Rows, x.Width
		}
		result["seconds"] = time.Since(begin).Seconds()
		if ask.Work == "read" {
			zones, miles, micros := 0, 0.0, 0
			for i := range trips.Len() {
				zones += int(trips.PickupZone.At(i)) + 1000*int(trips.DropoffZone.At(i))
				miles += trips.Miles.At(i)
				micros += int(trips.Dropoff(i) - trips.Pickup(i))
			}
			result["rows"], result["zones"], result["miles"], result["micros"] = trips.Len(), zones, miles, micros
		}
		line, err := json.Marshal(result)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println(string(line))
	}
}
