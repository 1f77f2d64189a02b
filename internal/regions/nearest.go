package regions

import (
	"cmp"
	"math"
	"slices"
)

// tree finds the nearest of many points in space: a k-d tree whose nodes know the box around their points.
type tree struct {
	points [][3]float64
	order  []int32 // points by node
	nodes  []node
}

type node struct {
	low, high [3]float64
	from, to  int32 // of tree.order
	children  int32 // the first of two nodes next to each other; 0: a leaf
}

// leafSize is the most points of a leaf.
const leafSize = 12

func newTree(points [][3]float64) *tree {
	t := &tree{points: points, order: make([]int32, len(points)), nodes: make([]node, 1)}
	for i := range t.order {
		t.order[i] = int32(i)
	}
	t.build(0, 0, int32(len(points)))
	return t
}

// build makes the nodes below node n, of t.order[from:to].
func (t *tree) build(n int, from, to int32) {
	box := node{from: from, to: to}
	for i, v := range t.order[from:to] {
		for k, x := range t.points[v] {
			if i == 0 {
				box.low[k], box.high[k] = x, x
			}
			box.low[k], box.high[k] = min(box.low[k], x), max(box.high[k], x)
		}
	}
	axis := 0
	for k := range 3 {
		if box.high[k]-box.low[k] > box.high[axis]-box.low[axis] {
			axis = k
		}
	}
	if to-from <= leafSize || box.high[axis] == box.low[axis] {
		t.nodes[n] = box
		return
	}
	slices.SortFunc(t.order[from:to], func(a, b int32) int {
		return cmp.Or(cmp.Compare(t.points[a][axis], t.points[b][axis]), cmp.Compare(a, b))
	})
	box.children = int32(len(t.nodes))
	t.nodes[n] = box
	t.nodes = append(t.nodes, node{}, node{})
	middle := (from + to) / 2
	t.build(int(box.children), from, middle)
	t.build(int(box.children)+1, middle, to)
}

// nearest returns the point nearest to p, of several the first, and the distance; -1 if none is as near as within.
func (t *tree) nearest(p [3]float64, within float64) (point int, distance float64) {
	found, best := int32(-1), within*within
	var look func(n int32)
	look = func(n int32) {
		at := &t.nodes[n]
		if at.children != 0 {
			first, second := at.children, at.children+1
			if t.nodes[second].away(p) < t.nodes[first].away(p) {
				first, second = second, first
			}
			for _, child := range [...]int32{first, second} {
				if t.nodes[child].away(p) <= best {
					look(child)
				}
			}
			return
		}
		for _, v := range t.order[at.from:at.to] {
			d := squared(t.points[v], p)
			if d < best || d == best && (v < found || found < 0) {
				found, best = v, d
			}
			if at.low == at.high { // all of them are here
				break
			}
		}
	}
	look(0)
	return int(found), math.Sqrt(best)
}

// away is the squared distance from a point to the box.
func (n *node) away(p [3]float64) (sum float64) {
	for k, x := range p {
		d := max(n.low[k]-x, x-n.high[k], 0)
		sum += d * d
	}
	return sum
}

func squared(p, q [3]float64) (sum float64) {
	for k := range p {
		sum += (p[k] - q[k]) * (p[k] - q[k])
	}
	return sum
}
