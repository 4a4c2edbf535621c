package engine

import (
	"fmt"
	"strings"
)

// Suggest is what an error about an unknown word goes on with: the known one that
// may have been meant, or all that there are.
func Suggest(word string, known []string) string {
	best, least := "", 1+len(word)/3
	for _, name := range known {
		if d := distance(word, name); d <= least {
			best, least = name, d-1
		}
	}
	switch {
	case len(known) == 0:
		return ": there are none"
	case best == "":
		return ": there are " + strings.Join(known, ", ")
	}
	return fmt.Sprintf(", did you mean %q?", best)
}

// distance is how many letters are to be put in, taken out, changed or swapped
// with their neighbour to make b of a.
func distance(a, b string) int {
	var before, above []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, above, row = above, row, make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
