package linear

import (
	"bytes"
	"context"
	"testing"
)

func BenchmarkFit(b *testing.B) {
	p := problem{Seed: 10, Rows: 74000, Blocks: []int{13000}, Numbers: 1, Outliers: true}
	x, y := problemOf(&testing.T{}, p)
	for _, p := range []Params{{Solver: Exact}, {Solver: LSQR}, {Solver: Ridge}, {Solver: Lasso, Alpha: 0.01}} {
		b.Run(string(p.Solver), func(b *testing.B) {
			for b.Loop() {
				if _, err := Fit(context.Background(), x, y, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	m, err := Fit(context.Background(), x, y, Params{})
	if err != nil {
		b.Fatal(err)
	}
	out := make([]float32, x.Rows)
	b.Run("predict", func(b *testing.B) {
		for b.Loop() {
			m.Predict(x, out)
		}
	})
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			var buf bytes.Buffer
			if err := m.WriteJSON(&buf); err != nil {
				b.Fatal(err)
			}
		}
	})
}
