package schedule

import "github.com/taximeter/taximeter/engine"

// suggest is what may have been meant by an unknown field.
func suggest(key string, entries []entry) string {
	if key == "entrypoint" {
		return `: the code is in the program; name the flow with "flow"`
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.name
	}
	return Suggest(key, names)
}

// Suggest is engine.Suggest.
func Suggest(word string, known []string) string { return engine.Suggest(word, known) }
