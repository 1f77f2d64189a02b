package ridge

import (
	"math"

	"github.com/brainwavlm/bwlm/internal/parallel"
	"github.com/brainwavlm/bwlm/torch"
)

// The sums of sumVoxels voxels are a block, and sumRows rows are added at a time. These are fixed, and blocks begin
// with the first voxel of each Responses, so that no result depends on memory or on how responses are read. Tests make
// them smaller.
var sumVoxels, sumRows = 2048, 2048

// block holds the sums over rows of some voxels. In sums each voxel is less a shift and divided by a unit, which are
// about its mean and its SD.
type block struct {
	from, to     int             // voxels of its Responses
	shift, unit  []float64       // (V)
	products     []*torch.Tensor // (V, K) Float32 by share of the rows; nil: it has no rows
	sum, squares [][]float64     // (V) by share of the rows

	whole    extremes
	extremes [][2]extremes // by fold: of the training and of the held-out rows
}

// extremes are the least and the largest value of each voxel.
type extremes struct{ low, high []float32 }

func newExtremes(voxels int) extremes {
	e := extremes{make([]float32, voxels), make([]float32, voxels)}
	for v := range voxels {
		e.low[v], e.high[v] = float32(math.Inf(1)), float32(math.Inf(-1))
	}
	return e
}

// fold takes in the extremes of voxel v in some rows.
func (e extremes) fold(v int, low, high float32) {
	e.low[v], e.high[v] = min(e.low[v], low), max(e.high[v], high)
}

// same reports whether voxel v has one value alone.
func (e extremes) same(v int) bool { return e.low[v] == e.high[v] }

func newBlock(from, to, folds int) *block {
	n := to - from
	b := &block{from: from, to: to, shift: make([]float64, n), unit: make([]float64, n),
		products: make([]*torch.Tensor, 1+folds), whole: newExtremes(n)}
	for range b.products {
		b.sum, b.squares = append(b.sum, make([]float64, n)), append(b.squares, make([]float64, n))
	}
	for range folds {
		b.extremes = append(b.extremes, [2]extremes{newExtremes(n), newExtremes(n)})
	}
	return b
}

// constant reports whether voxel v has one value in all rows.
func (b *block) constant(v int) bool { return b.whole.same(v) }

// mean returns the mean of voxel v over all rows.
func (b *block) mean(v, rows int) float64 {
	sum := 0.0
	for _, share := range b.sum {
		sum += share[v]
	}
	return b.shift[v] + b.unit[v]*sum/float64(rows)
}

// begin finds the shift and the unit of each voxel from the first rows, y, of a stride. Without a centre the shift is
// 0.
func (b *block) begin(y []float32, rows, stride int, centre bool) {
	parallel.Ranges(b.to-b.from, 64, func(from, to int) {
		for v := from; v < to; v++ {
			sum, squares := 0.0, 0.0
			for row := range rows {
				sum += float64(y[row*stride+v])
			}
			if centre {
				b.shift[v] = sum / float64(rows)
			}
			for row := range rows {
				x := float64(y[row*stride+v]) - b.shift[v]
				squares += x * x
			}
			if b.unit[v] = 1; squares > 0 {
				b.unit[v] = math.Exp2(math.Round(math.Log2(math.Sqrt(squares / float64(rows)))))
			}
		}
	})
}

// standard returns the rows of a panel, (rows, V), less the shift and divided by the unit, and adds them to the sums
// and the extremes. y are these rows, of a stride.
func (b *block) standard(p *panel, y []float32, stride int, out []float32) {
	width := b.to - b.from
	parallel.Ranges(width, 64, func(from, to int) {
		n := to - from
		sum, squares, e := make([]float64, n), make([]float64, n), newExtremes(n)
		for _, pattern := range p.patterns {
			for v := range n {
				sum[v], squares[v] = 0, 0
				e.low[v], e.high[v] = float32(math.Inf(1)), float32(math.Inf(-1))
			}
			for _, row := range pattern.rows {
				in, z := y[row*stride+from:][:n], out[row*width+from:][:n]
				for v, x := range in {
					z[v] = float32((float64(x) - b.shift[from+v]) / b.unit[from+v])
					sum[v] += float64(z[v])
					squares[v] += float64(z[v]) * float64(z[v])
					e.fold(v, x, x)
				}
			}
			b.add(pattern, from, sum, squares, e)
		}
	})
}

// add adds the sums over the rows of a pattern, for voxels from number from on.
func (b *block) add(p pattern, from int, sum, squares []float64, e extremes) {
	n := len(sum)
	if rest := float64(1 - len(p.folds)); rest != 0 {
		for v := range n {
			b.sum[0][from+v] += rest * sum[v]
			b.squares[0][from+v] += rest * squares[v]
		}
	}
	for _, f := range p.folds {
		for v := range n {
			b.sum[1+f][from+v] += sum[v]
			b.squares[1+f][from+v] += squares[v]
		}
	}
	for v := range n {
		b.whole.fold(from+v, e.low[v], e.high[v])
	}
	for f, parts := range b.extremes {
		part := training
		for _, held := range p.folds {
			if held == f {
				part = heldOut
			}
		}
		for v := range n {
			parts[part].fold(from+v, e.low[v], e.high[v])
		}
	}
}

// panel is some rows that are added at once.
type panel struct {
	from, to int
	patterns []pattern
	shares   []share
	x        []*torch.Tensor // (rows of the share, K) the directions; nil: it has no rows
}

// panel returns the rows from ≤ k < to.
func (d *directions) panel(s *torch.Scope, from, to, folds int) *panel {
	p := &panel{from: from, to: to, patterns: patternsOf(d.in, from, to), shares: sharesOf(d.in, folds, from, to)}
	x := s.Attach(d.x[from/sumRows])
	for _, share := range p.shares {
		var some *torch.Tensor
		if len(share.rows) > 0 {
			some = x.IndexSelect(0, share.rows)
		}
		p.x = append(p.x, some)
	}
	return p
}

// multiply adds the products of the rows of a panel, in standard form (rows, V), to those of a block. some is a buffer
// of as many values.
func (b *block) multiply(s *torch.Scope, p *panel, y, some []float32) {
	width := b.to - b.from
	for i, share := range p.shares {
		if len(share.rows) == 0 {
			continue
		}
		some = some[:len(share.rows)*width]
		parallel.Each(len(share.rows), func(k int) {
			out := some[k*width:][:width]
			copy(out, y[share.rows[k]*width:])
			if share.weights != nil && share.weights[k] != 1 {
				for v := range out {
					out[v] *= share.weights[k]
				}
			}
		})
		_ = within(s, func(s *torch.Scope) error {
			b.products[i].AddProduct(s.FromFloat32(some, len(share.rows), width).Transpose(0, 1), s.Attach(p.x[i]))
			return nil
		})
	}
}
