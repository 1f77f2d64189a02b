package ridge

import (
	"math"

	"github.com/brainwavlm/bwlm/internal/parallel"
	"github.com/brainwavlm/bwlm/torch"
)

// fold is one fold of a cross-validation, or some penalties of one, from which any voxels can be scored. Its tensors
// are Float32 where the directions of the features do not mix, so that the rounding error of each is relative to its
// own size, and where they mix little.
type fold struct {
	train, held []int
	centre      bool
	metric      Metric
	onto        *torch.Tensor // (K, training rows)
	candidates  []candidate
}

// candidate is a penalty in a fold.
type candidate struct {
	lambda int           // its number
	spread *torch.Tensor // (N, K), each column centred over the held-out rows
	mean   *torch.Tensor // (1, K): those means
	shrink *torch.Tensor // (1, K): D, times the factor; nil if spread and mean have it
	factor float64       // keeps products with a large penalty above the float32 underflow
}

// newFold decomposes the training rows of the features, multiplied by scales, for all penalties.
func (f *fit) newFold(s *torch.Scope, fd fold, scales []float64) *fold {
	mean := f.x.mean
	if fd.centre {
		mean, scales = f.x.trainingMean(fd.train, scales)
	}
	f.cost.Operations += f.ownFold(len(fd.train), len(fd.held))
	return f.decompose(s, fd, func(s *torch.Scope) (*basis, *torch.Tensor) {
		b := newBasis(s, len(fd.train), f.x.cols, func(s *torch.Scope) *torch.Tensor {
			return f.x.standard(s, fd.train, mean, scales)
		})
		return b, b.project(f.x.standard(s, fd.held, mean, scales))
	})
}

// decompose fills in what a fold needs of the basis of its training rows, and of the spread of the held-out rows in it,
// (N, K).
func (f *fit) decompose(s *torch.Scope, fd fold, of func(*torch.Scope) (*basis, *torch.Tensor)) *fold {
	var factors []float64
	all := s.Frozen(func(s *torch.Scope) *torch.Tensor {
		b, spread := of(s)
		var table []float64
		for _, lambda := range f.opt.Lambdas {
			lambda *= f.scale * f.scale
			factor := b.largest() + lambda
			factors, table = append(factors, factor), append(table, b.shrink(lambda, factor)...)
		}
		centre := spread.MeanKeep(0)
		shrink := s.FromFloat64(table, len(factors), len(b.values))
		return torch.Cat(0, shrink.ToType(torch.Float32), centre.ToType(torch.Float32),
			spread.Sub(centre).ToType(torch.Float32), b.onto.ToType(torch.Float32))
	})
	n := len(factors)
	mean, spread := all.Narrow(0, n, 1), all.Narrow(0, n+1, len(fd.held))
	for a, factor := range factors {
		fd.candidates = append(fd.candidates, candidate{a, spread, mean, all.Narrow(0, a, 1), factor})
	}
	fd.onto = all.Narrow(0, n+1+len(fd.held), len(fd.train)).Transpose(0, 1)
	return &fd
}

// target describes one voxel in a fold: its training responses are divided by their root mean
// square, and the held-out ones have mean 0 and norm 1.
type target struct {
	constant bool    // in the training rows, or in the held-out rows
	norm     float64 // of the centred held-out responses, in units of the training responses
	offset   float64 // mean of the held-out minus that of the training responses, in the same units
}

// prepare writes the standardised responses of a voxel into trained and measured.
func (fd *fold) prepare(y, trained, measured []float32) target {
	train, held := pick(y, fd.train), pick(y, fd.held)
	centre := 0.0
	if fd.centre {
		centre = mean(train)
	}
	size := math.Sqrt(sumSquares(train, centre) / float64(len(train)))
	about := mean(held)
	norm := math.Sqrt(sumSquares(held, about))
	if allEqual(train) || allEqual(held) || size == 0 || norm == 0 {
		return target{constant: true}
	}
	for i, value := range train {
		trained[i] = float32((float64(value) - centre) / size)
	}
	for i, value := range held {
		measured[i] = float32((float64(value) - about) / norm)
	}
	return target{norm: norm / size, offset: (about - centre) / size}
}

// score returns the score of each penalty of a fold for each voxel of a block, (V, rows): (candidates, V).
//
// With p the centred prediction of a voxel, w the measured responses of mean 0 and norm 1, and S
// their norm before that,
//
//	r = p·w/‖p‖    R² = d - N·(difference of the means)²/S²    SignedRoot = sign(d)·√|d|
//
// with d = 1 - var(residual)/var(measured) = 2·p·w/S - ‖p‖²/S², so all follow from sums over the
// predictions.
func (f *fit) score(s *torch.Scope, fd *fold, block []float32) [][]float64 {
	rows := f.x.rows
	voxels := len(block) / rows
	trained, measured := reuse(&f.trained, voxels*len(fd.train)), reuse(&f.measured, voxels*len(fd.held))
	targets := make([]target, voxels)
	parallel.Each(voxels, func(v int) {
		n, m := len(fd.train), len(fd.held)
		targets[v] = fd.prepare(block[v*rows:(v+1)*rows], trained[v*n:(v+1)*n], measured[v*m:(v+1)*m])
	})
	kind, k := fd.onto.DType(), fd.onto.Dim(0)
	f.count(each(kind), voxels, len(fd.train), k)
	f.count(each(kind)*float64(len(fd.candidates)), voxels, k, len(fd.held))
	sums := s.Frozen(func(s *torch.Scope) *torch.Tensor {
		z := s.FromFloat32(trained, voxels, len(fd.train)).ToType(kind).Linear(fd.onto, nil) // (V, K)
		w := s.FromFloat32(measured, voxels, len(fd.held)).ToType(kind)                      // (V, N)
		var each []*torch.Tensor
		for _, c := range fd.candidates {
			each = append(each, z.Scoped(func(z *torch.Tensor) *torch.Tensor {
				if c.shrink != nil {
					z = z.Mul(c.shrink)
				}
				p := z.Linear(c.spread, nil) // (V, N)
				return torch.Stack(0, p.Mul(w).Sum(1), p.Square().Sum(1), z.Linear(c.mean, nil).Squeeze(1))
			}))
		}
		return torch.Cat(0, each...).ToType(torch.Float64) // (3·penalties, V)
	}).Float64s()
	scores := make([][]float64, len(fd.candidates))
	for a, c := range fd.candidates {
		scores[a] = make([]float64, voxels)
		for v, t := range targets {
			at := func(i int) float64 { return sums[(3*a+i)*voxels+v] }
			scores[a][v] = t.score(fd.metric, at(0), math.Sqrt(at(1)), at(2), c.factor, float64(len(fd.held)))
		}
	}
	return scores
}

// each returns what an operation counts as.
func each(kind torch.DType) float64 {
	if kind == torch.Float64 {
		return 2
	}
	return 1
}

// score returns the score of a voxel from sums over its n predictions, all multiplied by factor:
// their product with the measured responses, their norm, and their mean. An undefined score is 0.
func (t target) score(selection Metric, product, norm, mean, factor, n float64) float64 {
	if t.constant || selection == R && norm == 0 {
		return 0
	}
	score := product / norm
	if selection != R {
		square := func(x float64) float64 { return x * x }
		score = 2*product/factor/t.norm - square(norm/factor/t.norm)
		if selection == R2 {
			score -= n * square((t.offset-mean/factor)/t.norm)
		} else {
			score = math.Copysign(math.Sqrt(math.Abs(score)), score)
		}
	}
	if score-score != 0 {
		return 0
	}
	return score
}
