package gbt

// sample decides by chance which rows a tree is grown on, and which columns each
// of its nodes may split on. What it decides follows from the seed, the round and
// the node alone: not from who asks, nor when. XGBoost draws as many columns, one
// sample from the other as here, but by another generator.
type sample struct {
	seed              uint64 // of the tree that grows
	rows              float64
	tree, level, node float32
}

// newSample returns nil where nothing is left to chance.
func newSample(p Params) *sample {
	all := func(share float64) float64 {
		if share == 0 { // see Params
			return 1
		}
		return share
	}
	s := &sample{
		seed: uint64(p.Seed), rows: all(p.Subsample),
		tree: float32(all(p.ColSampleByTree)), level: float32(all(p.ColSampleByLevel)), node: float32(all(p.ColSampleByNode)),
	}
	if s.rows == 1 && s.tree == 1 && s.level == 1 && s.node == 1 {
		return nil
	}
	return s
}

// of returns the sample of one tree.
func (s *sample) of(round int) *sample {
	t := *s
	t.seed = mix(s.seed, uint64(round))
	return &t
}

// row tells whether the tree is grown on the row.
func (s *sample) row(i int) bool {
	return s.rows == 1 || float64(mix(s.seed, uint64(i))>>11) < float64(s.rows*(1<<53))
}

// root and child name the nodes of a tree by the way that leads there.
func (s *sample) root() uint64 { return mix(s.seed, 1<<40) }

func child(of uint64, right bool) uint64 {
	if right {
		return mix(of, 1)
	}
	return mix(of, 0)
}

// picks are the columns that a node may split on: all, if nil. They are drawn
// from those of the node's level, and these from those of the tree.
type picks struct {
	from [3]permutation
	most [3]uint32 // those that come first are taken
}

// picks draws among the columns for a node.
func (s *sample) picks(columns, depth int, node uint64) *picks {
	p := &picks{}
	for i, draw := range [3]struct {
		share float32
		seed  uint64
	}{{s.tree, mix(s.seed, 1<<41)}, {s.level, mix(s.seed, 1<<42+uint64(depth))}, {s.node, node}} {
		p.from[i] = newPermutation(columns, draw.seed)
		if draw.share < 1 { // as XGBoost's random.h, ColumnSampler::ColSample
			columns = max(1, int(float32(draw.share*float32(columns))))
		}
		p.most[i] = uint32(columns)
	}
	return p
}

func (p *picks) has(column int32) bool {
	if p == nil {
		return true
	}
	at := uint32(column)
	for i := range p.from {
		if at = p.from[i].at(at); at >= p.most[i] {
			return false
		}
	}
	return true
}

// permutation is an order of the numbers below n: by multiplying, adding and
// folding, each of which can be undone, among the numbers of as many bits, and
// again where that leads beyond n.
type permutation struct {
	n, mask uint32
	fold    uint
	by, add [3]uint32
}

func newPermutation(n int, seed uint64) permutation {
	p := permutation{n: uint32(n), mask: 1, fold: 1}
	for bits := uint(1); p.mask < p.n-1; bits++ {
		p.mask = p.mask<<1 | 1
		p.fold = (bits + 2) / 2
	}
	for i := range p.by {
		x := mix(seed, uint64(i))
		p.by[i], p.add[i] = uint32(x)|1, uint32(x>>32)
	}
	return p
}

// at returns the place of i in the order.
func (p *permutation) at(i uint32) uint32 {
	for {
		for k := range p.by {
			i = (i*p.by[k] + p.add[k]) & p.mask
			i ^= i >> p.fold
		}
		if i < p.n {
			return i
		}
	}
}

// mix hashes two numbers into one: SplitMix64, by Steele, Lea and Flood, 2014.
func mix(a, b uint64) uint64 {
	x := a + (b+1)*0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}
