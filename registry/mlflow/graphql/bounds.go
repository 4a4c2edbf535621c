package graphql

import "fmt"

// Bounds of one query, MLflow's: see CVE-2025-0453.
const (
	MaxQuery      = 64 << 10 // bytes
	MaxRootFields = 10
	MaxAliases    = 10 // at one level
	MaxDepth      = 10
	MaxSelections = 1000
)

// maxResolved bounds the values that a query has resolvers fetch; each may be a
// read of the disk, and a list multiplies them.
const maxResolved = 2000

// checkBounds returns an error unless every operation of doc is within bounds.
func checkBounds(doc *document) error {
	roots, aliases, total := 0, 0, 0
	for _, o := range doc.operations {
		level := [][]selection{o.selections}
		for depth := 1; len(level) > 0; depth++ {
			if depth > MaxDepth {
				return fmt.Errorf("Query exceeds maximum depth of %d", MaxDepth)
			}
			var below [][]selection
			for _, selections := range level {
				here := 0
				for _, f := range flat(doc, selections) {
					if total++; total > MaxSelections {
						return fmt.Errorf("Query exceeds maximum total selections of %d", MaxSelections)
					}
					if depth == 1 {
						roots++
					}
					if f.alias != "" {
						here++
					}
					if len(f.selections) > 0 {
						below = append(below, f.selections)
					}
				}
				aliases = max(aliases, here)
			}
			level = below
		}
	}
	const message = "GraphQL queries should have at most %d %[2]s, got %[3]d %[2]s."
	if roots > MaxRootFields {
		return fmt.Errorf(message, MaxRootFields, "root fields", roots)
	}
	if aliases > MaxAliases {
		return fmt.Errorf(message, MaxAliases, "aliases", aliases)
	}
	return nil
}

// flat returns the fields of a level: its own and those of fragments in it,
// each fragment once.
func flat(doc *document, selections []selection) (fields []*selection) {
	seen := map[string]bool{}
	var add func([]selection)
	add = func(selections []selection) {
		for i := range selections {
			switch s := &selections[i]; {
			case s.inline:
				add(s.selections)
			case s.spread == "":
				fields = append(fields, s)
			case !seen[s.spread]:
				seen[s.spread] = true
				if f := doc.fragments[s.spread]; f != nil {
					add(f.selections)
				}
			}
		}
	}
	add(selections)
	return fields
}
