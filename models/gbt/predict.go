package gbt

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/taximeter/taximeter/features/matrix"
)

const (
	// A batch of fewer rows is predicted row by row: sending rows through a tree
	// together costs something for each node, whether rows come by or not.
	fewRows = 128
	// As many rows at once stay in a core's cache.
	manyRows = 1 << 16
)

// Predict writes the prediction for each row of x to out, which must be as long
// as x has rows. It uses all cores; the result does not depend on how many. To
// predict the same kind of rows again and again, Compile is far faster.
func (e *Ensemble) Predict(x *matrix.Matrix, out []float32) {
	if len(out) != x.Rows {
		panic(fmt.Sprintf("gbt: predict %d rows into %d places", x.Rows, len(out)))
	}
	workers := runtime.GOMAXPROCS(0)
	chunk := max(fewRows, min(manyRows, (x.Rows+workers-1)/workers))
	if x.Rows <= chunk {
		e.predict(x, 0, x.Rows, out)
		return
	}
	inShares(x.Rows, chunk, workers, func(from, to int) { e.predict(x, from, to, out[from:to]) })
}

// inShares has workers do all rows, each taking the next share when it has done
// one.
func inShares(rows, share, workers int, do func(from, to int)) {
	var next atomic.Int64
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			for {
				to := int(next.Add(int64(share)))
				if to-share >= rows {
					return
				}
				do(to-share, min(to, rows))
			}
		})
	}
	wait.Wait()
}

// predict does the rows [from, to).
func (e *Ensemble) predict(x *matrix.Matrix, from, to int, out []float32) {
	if to-from < fewRows || e.categorical() {
		row := make([]Entry, 0, len(x.Blocks)+len(x.Numbers))
		for i := range out {
			row = appendRow(row[:0], x, from+i)
			out[i] = e.PredictRow(row)
		}
		return
	}
	for i := range out {
		out[i] = e.BaseScore
	}
	p := newCrowd(x, from, to)
	for i := range e.Trees {
		p.send(&e.Trees[i], out)
	}
}

// categorical tells whether a tree has categorical splits.
func (e *Ensemble) categorical() bool {
	return slices.ContainsFunc(e.Trees, func(t Tree) bool { return len(t.Categories) > 0 })
}

// appendRow appends what is stored in a row of x: float32s, as XGBoost's data.cc,
// SparsePage::Push, has them.
func appendRow(row []Entry, x *matrix.Matrix, i int) []Entry {
	for b := range x.Blocks {
		if code := x.Blocks[b].Codes[i]; code >= 0 {
			row = append(row, Entry{x.Blocks[b].Columns[code], 1})
		}
	}
	for n := range x.Numbers {
		row = append(row, Entry{x.Numbers[n].Column, float32(x.Numbers[n].Values[i])})
	}
	return row
}

// crowd sends many rows through trees together, in batches as when trees are
// grown: at a split on one level of a block it touches only the rows of that
// level, so that a tree which peels level after level off the rest costs little
// more than a shallow one.
type crowd struct {
	packer
	columns []column
	all     batch
	where   spots
	stack   []visit
}

// spot is where a matrix column is found: a level of a block, or a number.
type spot struct {
	column int32 // -1: nowhere, so that it is missing from every row
	code   int32
}

// spots are where the columns of a matrix are found. Those that a tree asks for
// and the matrix does not have are nowhere.
type spots []spot

func newSpots(width int) spots { return slices.Repeat(spots{{column: -1}}, width) }

func (s spots) of(feature int32) spot {
	if int(feature) < len(s) {
		return s[feature]
	}
	return spot{column: -1}
}

// visit is rows that have come to a node.
type visit struct {
	node int32
	rows *batch
}

func newCrowd(x *matrix.Matrix, from, to int) *crowd {
	c := &crowd{where: newSpots(x.Width)}
	for _, b := range x.Blocks {
		for code, feature := range b.Columns {
			c.where[feature] = spot{int32(len(c.columns)), int32(code)}
		}
		c.columns = append(c.columns, column{features: b.Columns, codes: b.Codes[from:to]})
	}
	for _, n := range x.Numbers {
		c.where[n.Column] = spot{int32(len(c.columns)), 0}
		c.columns = append(c.columns, numberColumn(n.Column, n.Values[from:to]))
	}
	c.all = newBatch(c.columns, 0, to-from)
	c.packer = newPacker(c.columns, to-from)
	c.sortAll(&c.all)
	return c
}

// send adds what the tree says of each row to out.
func (c *crowd) send(t *Tree, out []float32) {
	c.reset()
	c.stack = append(c.stack[:0], visit{0, c.all.fresh()})
	for len(c.stack) > 0 {
		v := c.stack[len(c.stack)-1]
		c.stack = c.stack[:len(c.stack)-1]
		n := &t.Nodes[v.node]
		if n.Leaf() {
			c.answer(v.rows, c.present(v.rows), n.Value, out)
			continue
		}
		test, parts := c.test(n)
		if !parts {
			v.node = n.Right
			if n.DefaultLeft {
				v.node = n.Left
			}
			c.stack = append(c.stack, v)
			continue
		}
		// Of the rows trained on, fewer came to the lighter child; so will of these.
		moves, stays := n.Left, n.Right
		right := t.Nodes[n.Right].SumHessian < t.Nodes[n.Left].SumHessian
		if right {
			moves, stays = stays, moves
		}
		picked := c.move(v.rows, test, right == test.right)
		// Else, where that is not so, each node of a chain could cost a copy of all rows.
		if len(picked) > max(v.rows.live, fewRows) {
			moves, stays = stays, moves
			picked = c.others(v.rows, picked)
		}
		if m := &t.Nodes[moves]; m.Leaf() {
			c.answer(v.rows, picked, m.Value, out)
		} else if len(picked) > 0 {
			c.stack = append(c.stack, visit{moves, c.pack(v.rows, picked)})
		}
		if v.rows.live > 0 {
			c.stack = append(c.stack, visit{stays, c.compact(v.rows)})
		}
	}
}

// others takes the picked rows back into b and moves out, and returns, those that
// had stayed.
func (c *crowd) others(b *batch, picked []int32) []int32 {
	const back = 2
	for _, at := range picked {
		b.gone[at] = back
	}
	b.live = len(picked)
	picked = picked[:0] // it has room: the others are fewer
	for at, gone := range b.gone {
		switch gone {
		case 0:
			b.gone[at] = 1
			picked = append(picked, int32(at))
		case back:
			b.gone[at] = 0
		}
	}
	return picked
}

// answer adds what a leaf says to the picked rows.
func (c *crowd) answer(b *batch, picked []int32, says float32, out []float32) {
	rows := b.rows()
	for _, at := range picked {
		// As XGBoost's cpu_predictor.cc, PredictByAllTrees: in float32, tree by tree.
		row := rows[at]
		out[row] = float32(out[row] + says)
	}
}

// test translates the condition of a node, if it parts the rows at all.
func (c *crowd) test(n *Node) (t test, parts bool) {
	s := c.where.of(n.Feature)
	if s.column < 0 {
		return t, false
	}
	if col := &c.columns[s.column]; !col.block() {
		return col.cut(int(s.column), n.Value, n.DefaultLeft), true
	}
	right := !(1 < n.Value)
	return test{column: int(s.column), from: s.code, to: s.code + 1, right: right}, right == n.DefaultLeft
}
