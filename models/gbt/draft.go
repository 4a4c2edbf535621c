package gbt

import "slices"

// draft is a piece being made.
type draft struct {
	key         uint64
	classes     [maxAxes]int32 // of the axes but the inner one; -1: missing
	first, last int32          // inner classes
	missing     bool           // the inner number is
	values      [pieceWidth]float32
}

// make adds the pieces of the keys, as far as they fit in, and returns a table
// with them. It reorders keys.
func (p *Predictor) make(keys []uint64) *pieceTable {
	if p.pieces.full() {
		return p.pieces.table.Load()
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	drafts := make([]draft, len(keys))
	for i, key := range keys {
		drafts[i] = p.draft(key)
	}
	p.fill(drafts)
	for i := range drafts {
		p.pieces.put(drafts[i].key, &drafts[i].values)
	}
	return p.pieces.table.Load()
}

// draft takes a key apart.
func (p *Predictor) draft(key uint64) draft {
	d := draft{key: key}
	along := key
	for i := len(p.axes) - 1; i >= 0; i-- { // the strides grow, but for the inner one's
		a := &p.axes[i]
		if i == p.inner {
			continue
		}
		d.classes[i] = int32(along / a.stride)
		along %= a.stride
		if a.classes == nil && uint64(d.classes[i]) == a.size-1 {
			d.classes[i] = -1
		}
	}
	d.first = int32(along * pieceWidth)
	d.last = d.first + pieceWidth - 1
	d.missing = p.inner >= 0 && along == p.missing
	for i := range d.values {
		d.values[i] = p.ensemble.BaseScore
	}
	return d
}

// fill computes drafts, tree by tree, so that each tree is fetched once.
func (p *Predictor) fill(drafts []draft) {
	for _, root := range p.roots {
		for i := range drafts {
			p.walkDraft(root, &drafts[i])
		}
	}
}

// walkDraft adds what a tree says. The classes of the piece go down the tree
// together, and part only where a threshold of the inner number lies among them.
func (p *Predictor) walkDraft(root int32, d *draft) {
	type span struct{ at, from, to int32 } // inner classes, to included
	var stack [pieceWidth]span
	stack[0] = span{root, d.first, d.last}
	for top := 1; top > 0; {
		top--
		v := stack[top]
		s := &p.steps[v.at]
		for s.kind != leafStep {
			next := v.at + 1
			switch {
			case s.kind == levelStep:
				if d.classes[s.axis] == s.at {
					next = s.jump
				}
			case s.kind == numberStep:
				if class := d.classes[s.axis]; class > s.at || class < 0 && !s.stray {
					next = s.jump
				}
			case d.missing:
				if !s.stray {
					next = s.jump
				}
			case v.from > s.at:
				next = s.jump
			case v.to > s.at:
				stack[top] = span{s.jump, s.at + 1, v.to}
				top++
				v.to = s.at
			}
			v.at = next
			s = &p.steps[next]
		}
		// As XGBoost's cpu_predictor.cc, PredictByAllTrees: in float32, tree by tree.
		values := d.values[v.from-d.first : v.to-d.first+1]
		for i := range values {
			values[i] = float32(values[i] + s.value)
		}
	}
}
