package gbt

import (
	"math"
	"math/bits"

	"github.com/taximeter/taximeter/features/matrix"
)

// Compile prepares e for matrices of one layout: the blocks and numbers of x,
// whose rows are not looked at. It takes some 100 ns a node; the greater part of
// the work is done when predictions are asked for, once a piece (see Predictor).
func (e *Ensemble) Compile(x *matrix.Matrix) *Predictor {
	p := &Predictor{ensemble: e, layout: matrix.Matrix{Width: x.Width, Blocks: x.Blocks, Numbers: x.Numbers}}
	c := compiler{p: p, where: newSpots(x.Width)}
	if !c.place(x) || !c.axes(x) {
		return p
	}
	nodes := 0
	for i := range e.Trees {
		nodes += len(e.Trees[i].Nodes)
	}
	p.steps = make([]step, 0, nodes)
	for i := range e.Trees {
		p.roots = append(p.roots, int32(len(p.steps)))
		c.compile(&e.Trees[i])
	}
	p.pieces.most = maxPieces
	p.pieces.grow()
	return p
}

// axis is a block or a number in the terms that trees have for it: its rows
// fall into classes that no tree tells apart.
type axis struct {
	classes []int32 // of a block: the class of each code, that of -1 first
	ladder  ladder  // of a number
	size    uint64  // classes there are
	stride  uint64  // what one class more adds to a key
}

// step is a node of a compiled tree. A tree's steps stand in the order of a
// walk that keeps to the first side: what is not jumped to is next.
type step struct {
	kind  stepKind
	axis  uint8
	stray bool    // a number: missing goes to the next step
	at    int32   // a level: the class that jumps; a number: the last class that does not
	jump  int32   // the other side
	value float32 // of a leaf
}

type stepKind uint8

const (
	leafStep stepKind = iota
	levelStep
	numberStep
	innerStep // numberStep on the axis along which pieces lie
)

const maxAxes = 8

// compiler translates trees for a Predictor.
type compiler struct {
	p     *Predictor
	where spots // the axis is the column
}

// place finds the axis of each feature. It reports whether the layout is one
// that can be compiled: not too many axes, no column twice.
func (c *compiler) place(x *matrix.Matrix) bool {
	n := len(x.Blocks) + len(x.Numbers)
	if n > maxAxes {
		return false
	}
	put := func(feature int32, s spot) bool {
		if c.where[feature].column >= 0 {
			return false
		}
		c.where[feature] = s
		return true
	}
	for i, b := range x.Blocks {
		for code, feature := range b.Columns {
			if !put(feature, spot{int32(i), int32(code)}) {
				return false
			}
		}
	}
	for i, n := range x.Numbers {
		if !put(n.Column, spot{int32(len(x.Blocks) + i), 0}) {
			return false
		}
	}
	return true
}

// axes collects what trees ask of each block and number, and gives keys. It
// reports whether the keys can be told apart in 64 bits.
func (c *compiler) axes(x *matrix.Matrix) bool {
	p := c.p
	blocks := len(x.Blocks)
	p.axes = make([]axis, blocks+len(x.Numbers))
	for i, b := range x.Blocks {
		p.axes[i] = axis{classes: make([]int32, len(b.Columns)+1), size: 1}
	}
	thresholds := make([][]float32, len(p.axes))
	for i := range p.ensemble.Trees {
		t := &p.ensemble.Trees[i]
		if len(t.Categories) > 0 {
			return false
		}
		for id := range t.Nodes {
			n := &t.Nodes[id]
			if n.Leaf() {
				continue
			}
			s := c.where.of(n.Feature)
			if s.column < 0 {
				continue
			}
			a := &p.axes[s.column]
			if int(s.column) >= blocks {
				thresholds[s.column] = append(thresholds[s.column], n.Value)
			} else if a.classes[s.code+1] == 0 && (1 < n.Value) != n.DefaultLeft {
				a.classes[s.code+1] = int32(a.size)
				a.size++
			}
		}
	}
	p.inner = -1
	most := -1
	for i := blocks; i < len(p.axes); i++ {
		a := &p.axes[i]
		a.ladder = newLadder(thresholds[i])
		a.size = uint64(a.ladder.count()) + 2 // the last is missing
		if count := a.ladder.count(); count > most {
			p.inner, most = i, count
		}
	}
	stride := uint64(1)
	if p.inner >= 0 {
		p.missing = uint64(most/pieceWidth) + 1
		stride = p.missing + 1
	}
	for i := range p.axes {
		if i == p.inner {
			continue
		}
		p.axes[i].stride = stride
		over, next := bits.Mul64(stride, p.axes[i].size)
		if over != 0 || next > math.MaxInt64 {
			return false
		}
		stride = next
	}
	return true
}

// compile appends the steps of t.
func (c *compiler) compile(t *Tree) {
	type branch struct{ node, from int32 } // from: the step that jumps here
	stack := []branch{{0, -1}}
	for len(stack) > 0 {
		b := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if b.from >= 0 {
			c.p.steps[b.from].jump = int32(len(c.p.steps))
		}
		for id := b.node; ; {
			n := &t.Nodes[id]
			if n.Leaf() {
				c.p.steps = append(c.p.steps, step{kind: leafStep, value: n.Value})
				break
			}
			s, next, other, both := c.step(n)
			if both {
				stack = append(stack, branch{other, int32(len(c.p.steps))})
				c.p.steps = append(c.p.steps, s)
			}
			id = next
		}
	}
}

// step translates the condition of a node; both tells whether rows can go to
// either side.
func (c *compiler) step(n *Node) (s step, next, other int32, both bool) {
	next, other = n.Right, n.Left
	if n.DefaultLeft {
		next, other = n.Left, n.Right
	}
	at := c.where.of(n.Feature)
	if at.column < 0 {
		return step{}, next, other, false
	}
	a := &c.p.axes[at.column]
	if a.classes != nil {
		return step{kind: levelStep, axis: uint8(at.column), at: a.classes[at.code+1]}, next, other, (1 < n.Value) != n.DefaultLeft
	}
	s = step{kind: numberStep, axis: uint8(at.column), stray: n.DefaultLeft, at: a.ladder.below(n.Value)}
	if int(at.column) == c.p.inner {
		s.kind = innerStep
	}
	return s, n.Left, n.Right, true
}
