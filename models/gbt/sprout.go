package gbt

// sprout is a node as one of several goroutines made it. A node's number is of
// use only until the tree is done, since it depends on which one made it: the
// i-th node of goroutine w of n is number i·n+w.
type sprout struct {
	Node
	right bool // which child of its parent it is
}

// assemble puts the nodes that several goroutines made into XGBoost's order,
// breadth first. It returns, appended to order, the number that each had.
func assemble(made [][]sprout, order []int32) (Tree, []int32) {
	n := int32(len(made))
	at := func(number int32) *sprout { return &made[number%n][number/n] }
	count := 0
	for self, sprouts := range made {
		count += len(sprouts)
		for i := range sprouts {
			number := int32(i)*n + int32(self)
			switch s := &sprouts[i]; {
			case s.Parent < 0:
				order = append(order, number)
			case s.right:
				at(s.Parent).Right = number
			default:
				at(s.Parent).Left = number
			}
		}
	}
	t := Tree{Nodes: make([]Node, 0, count)}
	for i := 0; i < len(order); i++ {
		s := at(order[i]).Node
		if s.Left >= 0 {
			order = append(order, s.Left, s.Right)
			at(s.Left).Parent, at(s.Right).Parent = int32(i), int32(i)
			s.Left, s.Right = int32(len(order))-2, int32(len(order))-1
		}
		t.Nodes = append(t.Nodes, s)
	}
	return t, order
}
