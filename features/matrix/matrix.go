// Package matrix holds the design matrix and the dict vectorizer that fits it:
// one-hot blocks kept as codes, and columns of numbers. To the outside it
// numbers and names columns exactly as scikit-learn's DictVectorizer does; it
// does not know what the columns mean.
package matrix

// Matrix is a design matrix of Rows rows. Width counts its columns as
// scikit-learn would: one for each level of each block and one for each number.
// A Matrix is read-only once built and may be shared between goroutines.
type Matrix struct {
	Rows, Width int
	Blocks      []Block
	Numbers     []Number
}

// Block is one categorical feature: conceptually len(Levels) one-hot columns,
// kept as one code a row.
type Block struct {
	Name    string   // feature name, such as "PU_DO"
	Levels  []string // sorted levels
	Columns []int32  // Columns[code] is the matrix column of Levels[code]
	Codes   []int32  // one a row; -1 where no level is stored (absent or unseen)
}

// Number is one numeric column.
type Number struct {
	Name   string // feature name, such as "trip_distance"
	Column int32
	Values []float64 // one a row; NaN where none is stored (missing)
}
