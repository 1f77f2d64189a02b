package loss

import (
	"math"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/torch"
)

// Columns is a loss of which each part sees some of the voxels. The losses are functions of a few sums over voxels, so
// that sums of parts, added, give the loss L of all, and the gradient of a part follows from its own sums S with the
// derivatives ∂L/∂S alone:
//
//	∂L/∂pred = Σ ∂L/∂S · ∂S/∂pred
//
// All of it is Float64. With w the weights of V voxels, of mean 1, p the predictions and y the responses of a row:
//
//	spatial    Σwp, Σwp², Σwy, Σwy², Σwpy of each row
//	temporal   Σw·r, r being the correlation of a voxel across rows
//	mse        Σw(p-y)²
//	cosine_l2  Σwp², Σwy², Σwpy of each row
//	nt_xent    Σwp², Σwy² of each row, and Σwpy of each pair of rows
type Columns struct {
	// Numbers is how many sums there are with some rows.
	Numbers func(rows int) int
	// Sums returns the sums over some voxels of pred and want (T, V), with their weights (V); nil: all alike.
	Sums func(pred, want, weights *torch.Tensor) *torch.Tensor
	// Loss returns the loss, one element, from the sums over all voxels, whose number is given.
	Loss func(sums *torch.Tensor, rows, voxels int) *torch.Tensor
}

// ByColumns returns the loss of a name, which is that of [New], for parts of the voxels.
func ByColumns(name experiment.Loss, train experiment.Train, compat experiment.Compat) Columns {
	switch name {
	case experiment.LossSpatial:
		return spatialColumns(compat)
	case experiment.LossTemporal:
		return temporalColumns(compat)
	case experiment.LossMSE:
		return mseColumns()
	case experiment.LossCosineL2:
		return cosineColumns(train.CosineShare)
	}
	return contrastColumns(train.Temperature)
}

// float64s returns tensors as Float64, which may be nil.
func float64s(xs ...*torch.Tensor) []*torch.Tensor {
	out := make([]*torch.Tensor, len(xs))
	for i, x := range xs {
		if x != nil {
			out[i] = x.ToType(torch.Float64)
		}
	}
	return out
}

// overVoxels returns the sums over voxels of weighted products of p and y (T, V), one after another.
func overVoxels(pred, want, weights *torch.Tensor, products ...func(p, y *torch.Tensor) *torch.Tensor) *torch.Tensor {
	x := float64s(pred, want, weights)
	var sums []*torch.Tensor
	for _, product := range products {
		sums = append(sums, weighted(product(x[0], x[1]), x[2]).Sum(1))
	}
	return torch.Cat(0, sums...)
}

func first(p, _ *torch.Tensor) *torch.Tensor          { return p }
func second(_, y *torch.Tensor) *torch.Tensor         { return y }
func squareOfFirst(p, _ *torch.Tensor) *torch.Tensor  { return p.Square() }
func squareOfSecond(_, y *torch.Tensor) *torch.Tensor { return y.Square() }
func product(p, y *torch.Tensor) *torch.Tensor        { return p.Mul(y) }

// part returns the k-th of sums of a number of rows, as means over voxels.
func part(sums *torch.Tensor, k, rows, voxels int) *torch.Tensor {
	return sums.Narrow(0, k*rows, rows).MulScalar(1 / float64(voxels))
}

func spatialColumns(compat experiment.Compat) Columns {
	return Columns{
		Numbers: func(rows int) int { return 5 * rows },
		Sums: func(pred, want, weights *torch.Tensor) *torch.Tensor {
			return overVoxels(pred, want, weights, first, squareOfFirst, second, squareOfSecond, product)
		},
		Loss: func(sums *torch.Tensor, rows, voxels int) *torch.Tensor {
			p, pp := part(sums, 0, rows, voxels), part(sums, 1, rows, voxels)
			y, yy := part(sums, 2, rows, voxels), part(sums, 3, rows, voxels)
			covariance := part(sums, 4, rows, voxels).Sub(p.Mul(y))
			r := covariance.Mul(inverseSD(p, pp, voxels, compat)).Mul(inverseSD(y, yy, voxels, compat))
			return r.Mean().MulScalar(-shrinkage(voxels, compat))
		},
	}
}

// inverseSD returns what standardisers multiply centred values by, from the means of values and of their squares.
func inverseSD(mean, square *torch.Tensor, n int, compat experiment.Compat) *torch.Tensor {
	variance := square.Sub(mean.Square())
	if !compat.ConstantRowGradient { // standard
		varies := variance.Sub(square.MulScalar(rounding)).Gt(leastVariance).ToType(torch.Float64)
		return variance.ClampMin(leastVariance).RSqrt().Mul(varies)
	}
	if compat.ShrunkenLossR { // undivided, with an unbiased SD
		variance = variance.MulScalar(float64(n) / math.Max(float64(n-1), 1))
	}
	inverse := variance.ClampMin(leastVariance).RSqrt()
	varies := variance.ClampMin(leastVariance).Sqrt().Gt(leastDeviation).ToType(torch.Float64)
	return inverse.Mul(varies).Add(varies.MulScalar(-1).AddScalar(1))
}

// shrinkage is the factor of a correlation of n values by the released code, where its SD is not unbiased already.
func shrinkage(n int, compat experiment.Compat) float64 {
	if compat.ShrunkenLossR && !compat.ConstantRowGradient {
		return float64(n-1) / float64(n)
	}
	return 1
}

func temporalColumns(compat experiment.Compat) Columns {
	along := standard
	if compat.ConstantRowGradient {
		along = undivided(compat.ShrunkenLossR)
	}
	return Columns{
		Numbers: func(int) int { return 1 },
		Sums: func(pred, want, weights *torch.Tensor) *torch.Tensor {
			return weighted(correlation(along, pred, want, nil, 0), weights).ToType(torch.Float64).Sum().Reshape(1)
		},
		Loss: func(sums *torch.Tensor, rows, voxels int) *torch.Tensor {
			return sums.Sum().MulScalar(-shrinkage(rows, compat) / float64(voxels))
		},
	}
}

func mseColumns() Columns {
	return Columns{
		Numbers: func(int) int { return 1 },
		Sums: func(pred, want, weights *torch.Tensor) *torch.Tensor {
			x := float64s(pred, want, weights)
			return weighted(x[0].Sub(x[1]).Square(), x[2]).Sum().Reshape(1)
		},
		Loss: func(sums *torch.Tensor, rows, voxels int) *torch.Tensor {
			return sums.Sum().MulScalar(1 / (float64(rows) * float64(voxels)))
		},
	}
}

// inverseSize returns what unit multiplies rows by, from the means of their squares.
func inverseSize(square *torch.Tensor) *torch.Tensor {
	return square.ClampMin(leastVariance).RSqrt().Mul(square.Gt(leastVariance).ToType(torch.Float64))
}

func cosineColumns(share float64) Columns {
	return Columns{
		Numbers: func(rows int) int { return 3 * rows },
		Sums: func(pred, want, weights *torch.Tensor) *torch.Tensor {
			return overVoxels(pred, want, weights, squareOfFirst, squareOfSecond, product)
		},
		Loss: func(sums *torch.Tensor, rows, voxels int) *torch.Tensor {
			pp, yy := part(sums, 0, rows, voxels), part(sums, 1, rows, voxels)
			py := part(sums, 2, rows, voxels)
			cosine := py.Mul(inverseSize(pp)).Mul(inverseSize(yy)).Mean()
			mse := pp.Add(yy).Sub(py.MulScalar(2)).Mean()
			return cosine.AddScalar(-1).MulScalar(-share).Add(mse.MulScalar(1 - share))
		},
	}
}

func contrastColumns(temperature float64) Columns {
	return Columns{
		Numbers: func(rows int) int { return (2 + rows) * rows },
		Sums: func(pred, want, weights *torch.Tensor) *torch.Tensor {
			x := float64s(pred, want, weights)
			pairs := weighted(x[0], x[2]).MatMul(x[1].Transpose(0, 1)) // (T, T)
			return torch.Cat(0, overVoxels(pred, want, weights, squareOfFirst, squareOfSecond),
				pairs.Reshape(pairs.Len()))
		},
		Loss: func(sums *torch.Tensor, rows, voxels int) *torch.Tensor {
			p, y := inverseSize(part(sums, 0, rows, voxels)), inverseSize(part(sums, 1, rows, voxels))
			pairs := sums.Narrow(0, 2*rows, rows*rows).Reshape(rows, rows).MulScalar(1 / float64(voxels))
			return contrast(pairs.Mul(p.Unsqueeze(1)).Mul(y).MulScalar(1 / temperature))
		},
	}
}
