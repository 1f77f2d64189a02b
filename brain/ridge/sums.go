package ridge

import (
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/torch"
)

// Cross-validation from sums: one pass over the rows gives the products of features and responses of the rows that each
// fold holds out, and of a rest, so that all of them together are the sum over all rows (a share of the rows each, see
// share). What the training rows T and the held-out rows H of any fold need, and the last fit, follow:
//
//	C_H = X_Hᵀ·Y_H    C_T = Xᵀ·Y - C_H    G_H = X_Hᵀ·X_H    G_T = Xᵀ·X - G_H
//
// X are the features in their principal directions over all rows, each divided by its root mean square: with V and S²
// from the decomposition of the features' covariance, X = features·V/S. A small direction is therefore not lost in
// float32 beside a large one. For a fold, with products about the means of its rows,
//
//	S·G_T·S = Q·M·Qᵀ    E = M^(-1/2)·Qᵀ·S    Z = E·C_T    U = E·C_H    D = M/(M+λ)
//
// and the predictions P of the held-out rows, of which there is no need, have
//
//	P·Y_H = Σ D·Z·U    ‖P‖² = ‖R·D·Z‖²    RᵀR = E·G_H·Eᵀ

// directions are the features in their principal directions, with what all folds share.
type directions struct {
	x    []*torch.Tensor // (rows, K) Float32, sumRows each
	from *torch.Tensor   // (features, K) Float64: V/S, for features in their standard form
	size []float64       // (K) S
	in   [][]int         // the folds that hold out each row
	all  rowSums         // of all rows
	held []rowSums       // of the rows that each fold holds out
}

// rowSums are sums over rows of the directions.
type rowSums struct {
	rows int
	sum  []float64 // (K)
	gram []float64 // (K, K)
}

func (r *rowSums) add(o rowSums) {
	if r.rows += o.rows; r.sum == nil {
		r.sum, r.gram = make([]float64, len(o.sum)), make([]float64, len(o.gram))
	}
	for i, x := range o.sum {
		r.sum[i] += x
	}
	for i, x := range o.gram {
		r.gram[i] += x
	}
}

// newDirections decomposes the features over all rows. It goes over them twice, sumRows at a time.
func (f *fit) newDirections(s *torch.Scope, folds [][]int) *directions {
	d := &directions{in: foldsOfRows(folds, f.x.rows), held: make([]rowSums, len(folds))}
	ones := bandScales(nil, nil, f.x.cols)
	var total rowSums
	for from, to := range blocks(0, f.x.rows, sumRows) {
		_ = within(s, func(s *torch.Scope) error {
			total.add(rowSumsOf(f.x.standard(s, upTo(from, to), f.x.mean, ones), share{rows: upTo(0, to-from)}))
			return nil
		})
	}
	d.from = s.Frozen(func(s *torch.Scope) *torch.Tensor {
		values, q := s.FromFloat64(total.gram, f.x.cols, f.x.cols).Eigh()
		found := values.Float64s()
		least := rounding(found[len(found)-1], f.x.rows, len(found))
		var columns []int
		var inverse []float64
		for k, value := range found {
			if value > least {
				size := math.Sqrt(value / float64(f.x.rows))
				columns, inverse, d.size = append(columns, k), append(inverse, 1/size), append(d.size, size)
			}
		}
		return q.IndexSelect(1, columns).Mul(s.FromFloat64(inverse, len(inverse)))
	})
	for from, to := range blocks(0, f.x.rows, sumRows) {
		d.x = append(d.x, s.Frozen(func(s *torch.Scope) *torch.Tensor {
			x := f.x.standard(s, upTo(from, to), f.x.mean, ones).MatMul(s.Attach(d.from))
			for i, share := range sharesOf(d.in, len(folds), from, to) {
				sums := rowSumsOf(x, share)
				if d.all.add(sums); i > 0 {
					d.held[i-1].add(sums)
				}
			}
			return x.ToType(torch.Float32)
		}))
	}
	d.all.rows = f.x.rows                                                 // and not those of the shares
	f.count(2*(2+shareOf(folds, f.x.rows)), f.x.cols, f.x.rows, f.x.cols) // both grams and the directions, in float64
	return d
}

// upTo returns the numbers from ≤ k < to.
func upTo(from, to int) []int {
	out := make([]int, to-from)
	for i := range out {
		out[i] = from + i
	}
	return out
}

// rowSumsOf returns the sums of a share of the rows of x, (rows, K).
func rowSumsOf(x *torch.Tensor, rows share) rowSums {
	k := x.Dim(1)
	out := rowSums{len(rows.rows), make([]float64, k), nil}
	if len(rows.rows) == 0 {
		out.gram = make([]float64, k*k)
		return out
	}
	out.gram = x.Scoped(func(x *torch.Tensor) *torch.Tensor {
		some := x.IndexSelect(0, rows.rows)
		weighted := some
		if rows.weights != nil {
			weighted = some.Mul(x.Scope().FromFloat32(rows.weights, len(rows.rows), 1).ToType(torch.Float64))
		}
		copy(out.sum, weighted.Sum(0).Float64s())
		return weighted.Transpose(0, 1).MatMul(some)
	}).Float64s()
	return out
}

// rounding is the eigenvalue below which a direction is nothing but the rounding of a gram of some rows and columns
// whose largest eigenvalue is given.
func rounding(largest float64, rows, columns int) float64 {
	const epsilon = 0x1p-52
	return epsilon * float64(max(rows, columns)) * largest
}

// foldSums is one fold of a cross-validation from sums.
type foldSums struct {
	number    int
	e         *torch.Tensor   // (K, K) Float32: E
	r         []*torch.Tensor // R, upper triangular, in pieces of rows from their first column that is not 0
	steps     []int           // the first column of each piece
	means     [2][]float64    // (K) of the training and the held-out rows
	rows      [2]int
	apart     *torch.Tensor   // (1, K) E·(mean of the held-out - mean of the training rows)
	shrink    []*torch.Tensor // (1, K) D of each penalty, times its factor
	factor    []float64
	condition float64 // largest over smallest M that is not rounding
}

const training, heldOut = 0, 1

// gather returns the number of rows, the means and the gram about them of the training or the held-out rows of a fold.
// centre is false if nothing is taken off, as for training rows without an intercept.
func (d *directions) gather(s *torch.Scope, fold, part int, centre bool) (rows int, mean []float64, g *torch.Tensor) {
	k, held := len(d.size), d.held[fold]
	rows, mean, g = held.rows, slices.Clone(held.sum), s.FromFloat64(held.gram, k, k)
	if part == training {
		rows, g = d.all.rows-held.rows, s.FromFloat64(d.all.gram, k, k).Sub(g)
		for i, sum := range d.all.sum {
			mean[i] = sum - mean[i]
		}
	}
	for i := range mean {
		mean[i] /= float64(rows)
	}
	if !centre {
		return rows, make([]float64, k), g
	}
	m := s.FromFloat64(mean, k, 1)
	return rows, mean, g.Sub(m.MatMul(m.Transpose(0, 1)).MulScalar(float64(rows)))
}

// newFoldSums decomposes the training rows of a fold.
func (f *fit) newFoldSums(s *torch.Scope, d *directions, number int) *foldSums {
	k := len(d.size)
	fd := &foldSums{number: number}
	var values []float64
	out := s.Frozen(func(s *torch.Scope) *torch.Tensor { // each scope frees its intermediate tensors, (K, K) Float64
		e := s.Frozen(func(s *torch.Scope) *torch.Tensor {
			size := s.FromFloat64(d.size, k)
			m, q := s.Frozen(func(s *torch.Scope) *torch.Tensor {
				var g *torch.Tensor
				fd.rows[training], fd.means[training], g = d.gather(s, number, training, f.x.centred)
				return g.Mul(s.Attach(size)).Mul(s.Attach(size).Unsqueeze(1))
			}).Eigh()
			values = m.Float64s()
			// grams are sums of those of all rows
			least := rounding(float64(f.x.rows)*d.size[k-1]*d.size[k-1], f.x.rows, k)
			inverse := make([]float64, k)
			for i, value := range values {
				if value > least {
					inverse[i] = 1 / math.Sqrt(value)
					fd.condition = max(fd.condition, math.Sqrt(values[k-1]/value)) // values ascend
				} else {
					values[i] = 0
				}
			}
			return q.Transpose(0, 1).Mul(s.FromFloat64(inverse, k, 1)).Mul(size)
		})
		r := s.Frozen(func(s *torch.Scope) *torch.Tensor {
			e := s.Attach(e)
			spread, w := s.Frozen(func(s *torch.Scope) *torch.Tensor {
				var g *torch.Tensor
				fd.rows[heldOut], fd.means[heldOut], g = d.gather(s, number, heldOut, true)
				return s.Attach(e).MatMul(g).MatMul(s.Attach(e).Transpose(0, 1))
			}).Eigh()
			root := w.Transpose(0, 1).Mul(spread.ClampMin(0).Sqrt().Unsqueeze(1))
			_, r := root.QR()
			return r.ToType(torch.Float32)
		})
		apart := slices.Clone(fd.means[heldOut])
		for i := range apart {
			if f.x.centred {
				apart[i] -= fd.means[training][i]
			}
		}
		return torch.Cat(0, e.ToType(torch.Float32), r,
			e.MatMul(s.FromFloat64(apart, k, 1)).Transpose(0, 1).ToType(torch.Float32),
			s.FromFloat64(f.shrinkOf(fd, values), len(fd.factor), k).ToType(torch.Float32))
	})
	f.count(2*2, k, k, 4*k) // products and decompositions in float64
	fd.e = out.Narrow(0, 0, k)
	const pieces = 8
	for from, step := 0, (k+pieces-1)/pieces; from < k; from += step {
		rows := min(step, k-from)
		fd.steps = append(fd.steps, from)
		fd.r = append(fd.r, out.Narrow(0, k+from, rows).Narrow(1, from, k-from).Contiguous())
	}
	fd.apart = out.Narrow(0, 2*k, 1)
	for a := range fd.factor {
		fd.shrink = append(fd.shrink, out.Narrow(0, 2*k+1+a, 1))
	}
	return fd
}

// shrinkOf returns D of each penalty, times its factor, which it stores: a factor makes the largest of them 1.
func (f *fit) shrinkOf(fd *foldSums, values []float64) (table []float64) {
	largest := slices.Max(values)
	for _, lambda := range f.opt.Lambdas {
		lambda *= f.scale * f.scale
		factor := 1.0
		if largest > 0 {
			factor = (largest + lambda) / largest
		}
		fd.factor = append(fd.factor, factor)
		for _, value := range values {
			d := 0.0
			if value > 0 {
				d = factor * value / (value + lambda)
			}
			table = append(table, d)
		}
	}
	return table
}
