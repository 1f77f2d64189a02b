package hdf5

// grid is an array with at least two axes, cut into chunks. The last axis are columns, those before it
// rows; an array of one axis gets a second of length 1, a single number two.
type grid struct {
	shape, chunk []int
	per          []int // chunks along each axis
}

// grid returns the array as a grid. What is not chunked is one chunk.
func (d *Dataset) grid() grid {
	g := grid{shape: append([]int(nil), d.Shape...), chunk: append([]int(nil), d.Shape...)}
	if d.layout.class == chunked && len(d.layout.chunk) == len(d.Shape)+1 {
		copy(g.chunk, d.layout.chunk)
	}
	for len(g.shape) < 2 {
		g.shape, g.chunk = append(g.shape, 1), append(g.chunk, 1)
	}
	for i, n := range g.shape {
		k := 0
		if n > 0 {
			k = (n-1)/max(1, g.chunk[i]) + 1
		}
		g.per = append(g.per, k)
	}
	return g
}

// lead is the number of axes that make rows.
func (g grid) lead() int { return len(g.shape) - 1 }

// box is a part of an array: from lo on and before hi, along each axis.
type box struct{ lo, hi []int }

// boxes cuts rows from to to, and columns, into boxes: where there are several axes of rows, a range
// may begin and end within them.
func (g grid) boxes(from, to int, columns Span) []box {
	var out []box
	g.cut(from, to, nil, func(lo, hi []int) {
		for axis := len(lo); axis < g.lead(); axis++ {
			lo, hi = append(lo, 0), append(hi, g.shape[axis])
		}
		out = append(out, box{append(lo, columns.From), append(hi, columns.To)})
	})
	return out
}

// cut visits the boxes of rows from to to below an index of the first axes, which prefix has.
func (g grid) cut(from, to int, prefix []int, visit func(lo, hi []int)) {
	if from >= to {
		return
	}
	axis, inner := len(prefix), 1 // rows of one index of the axis
	for _, n := range g.shape[axis+1 : g.lead()] {
		inner *= n
	}
	bounds := func(lo, hi int) {
		a, b := make([]int, 0, len(g.shape)), make([]int, 0, len(g.shape))
		for _, i := range prefix {
			a, b = append(a, i), append(b, i+1)
		}
		visit(append(a, lo), append(b, hi))
	}
	first, last := from/inner, to/inner
	if from%inner != 0 { // the end of one index
		g.cut(from%inner, min(inner, to-first*inner), append(prefix[:axis:axis], first), visit)
		first++
	}
	if first < last {
		bounds(first, last)
	}
	if last >= first && to%inner != 0 {
		g.cut(0, to%inner, append(prefix[:axis:axis], last), visit)
	}
}

// next counts index up within a box of numbers, the last axis fastest. It returns false at the end.
func next(index, lo, hi []int) bool {
	for axis := len(index) - 1; axis >= 0; axis-- {
		if index[axis]++; index[axis] < hi[axis] {
			return true
		}
		index[axis] = lo[axis]
	}
	return false
}

// ChunkRows returns the number of rows after which a new row of chunks begins, 1 if there are no chunks.
// [Dataset.ReadRows] decodes each chunk that it touches, so that ranges of whole multiples decode each
// chunk once.
func (d *Dataset) ChunkRows() int {
	if d.layout.class != chunked || d.refused != nil || d.elements() == 0 {
		return 1
	}
	g := d.grid()
	for axis, n := range g.chunk[:g.lead()] {
		if n > 1 || axis == g.lead()-1 {
			for _, k := range g.shape[axis+1 : g.lead()] {
				n *= k
			}
			return max(1, min(n, d.Rows()))
		}
	}
	return 1
}
