package gbt

// grow shares a tree out among the hands.
func (g *grid) grow() Tree {
	all := area{level: g.others(), hi: g.number.count(), missing: true, last: g.number.count()}
	root := patch{area: all, parent: -1, total: g.total, large: g.splittable(g.total)}
	for _, h := range g.hands {
		h.plots = h.plots[:0]
		h.cells.reset()
	}
	root.cells = append(g.hands[0].cells.take(len(g.levels)), g.levels...)
	g.hands[0].cells.keep(root.cells)
	e := newExchange(g.crew, root)
	g.crew.do(func(worker int) {
		h := g.hands[worker]
		work(e, &h.todo, h.visit, (*patch).work)
	})
	return g.assemble()
}

// assemble puts the nodes that the hands made into XGBoost's order, breadth first.
func (g *grid) assemble() Tree {
	at := func(number int32) *plot {
		return &g.hands[int(number)%len(g.hands)].plots[int(number)/len(g.hands)]
	}
	count, root := 0, int32(0)
	for _, h := range g.hands {
		count += len(h.plots)
		for i := range h.plots {
			number := int32(i*len(g.hands) + h.self)
			switch p := &h.plots[i]; {
			case p.Parent < 0:
				root = number
			case p.right:
				at(p.Parent).Right = number
			default:
				at(p.Parent).Left = number
			}
		}
	}
	t := Tree{Nodes: make([]Node, 0, count)}
	g.leaves = g.leaves[:0]
	g.order = append(g.order[:0], root)
	for i := 0; i < len(g.order); i++ {
		p := at(g.order[i])
		n := p.Node
		if n.Left >= 0 {
			g.order = append(g.order, n.Left, n.Right)
			at(n.Left).Parent, at(n.Right).Parent = int32(i), int32(i)
			n.Left, n.Right = int32(len(g.order))-2, int32(len(g.order))-1
		} else {
			g.leaves = append(g.leaves, leaf{area: p.area, id: int32(i)})
		}
		t.Nodes = append(t.Nodes, n)
	}
	return t
}
