package ridge

import (
	"math"

	"github.com/brainwavlm/bwlm/internal/parallel"
	"github.com/brainwavlm/bwlm/torch"
)

// fold is one fold of a cross-validation, ready to score any voxels. Its tensors are Float32:
// rounding hurts each direction of the features in proportion to its own size, since the directions
// do not mix.
type fold struct {
	train, held []int
	centre      bool
	selection   Selection
	onto        *torch.Tensor   // (K, training rows)
	spread      *torch.Tensor   // (N, K), each column less its mean over the held-out rows
	mean        *torch.Tensor   // (1, K): those means
	shrink      []*torch.Tensor // (1, K): D of each penalty, times its factor
	factor      []float64       // keeps a large penalty from pressing float32 to 0
}

// newFold decomposes the training rows, the features times sizes.
func (f *fit) newFold(s *torch.Scope, held []int, sizes []float64) *fold {
	fd := &fold{train: others(held, f.x.rows), held: held, centre: f.x.centred, selection: f.opt.Select}
	mean := f.x.mean
	if fd.centre {
		mean, sizes = f.x.trainingMean(fd.train, sizes)
	}
	all := s.Frozen(func(s *torch.Scope) *torch.Tensor {
		b := newBasis(f.x.standard(s, fd.train, mean, sizes))
		var table []float64
		for _, lambda := range f.opt.Lambdas {
			lambda *= f.scale * f.scale
			factor := b.largest() + lambda
			fd.factor, table = append(fd.factor, factor), append(table, b.shrink(lambda, factor)...)
		}
		spread := b.spread(f.x.standard(s, held, mean, sizes)) // (N, K)
		centre := spread.MeanKeep(0)
		return torch.Cat(0, s.FromFloat64(table, len(fd.factor), len(b.values)).ToType(torch.Float32), centre.ToType(torch.Float32),
			spread.Sub(centre).ToType(torch.Float32), b.onto.ToType(torch.Float32))
	})
	for a := range fd.factor {
		fd.shrink = append(fd.shrink, all.Narrow(0, a, 1))
	}
	fd.mean = all.Narrow(0, len(fd.factor), 1)
	fd.spread = all.Narrow(0, len(fd.factor)+1, len(held))
	fd.onto = all.Narrow(0, len(fd.factor)+1+len(held), len(fd.train)).Transpose(0, 1)
	return fd
}

// target is one voxel in a fold: its training responses in units of their own size, and the
// held-out ones with mean 0 and norm 1.
type target struct {
	constant bool    // in the training rows, or in the held-out rows
	norm     float64 // of the held-out responses less their mean, in units of the training responses
	offset   float64 // their mean less that of the training rows, in the same units
}

// prepare writes a voxel's responses (rows) into rows of the matrices that are multiplied.
func (fd *fold) prepare(y, trained, measured []float32) target {
	train, held := pick(y, fd.train), pick(y, fd.held)
	centre := 0.0
	if fd.centre {
		centre = mean(train)
	}
	size := math.Sqrt(squares(train, centre) / float64(len(train)))
	about := mean(held)
	norm := math.Sqrt(squares(held, about))
	if same(train) || same(held) || size == 0 || norm == 0 {
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

// score gives the score of each penalty for each voxel of a block (V, rows): (penalties, V).
//
// With p the prediction of a voxel less its mean, w the measured responses of mean 0 and norm 1,
// and S their norm before,
//
//	r = p·w/‖p‖    R² = 2·p·w/S - ‖p‖²/S² - N·(difference of the means)²/S²
//
// so both need only sums over the predictions.
func (f *fit) score(s *torch.Scope, fd *fold, block []float32) [][]float64 {
	rows := f.y.rows
	voxels := len(block) / rows
	trained, measured := reuse(&f.trained, voxels*len(fd.train)), reuse(&f.measured, voxels*len(fd.held))
	targets := make([]target, voxels)
	parallel.Each(voxels, func(v int) {
		n, m := len(fd.train), len(fd.held)
		targets[v] = fd.prepare(block[v*rows:(v+1)*rows], trained[v*n:(v+1)*n], measured[v*m:(v+1)*m])
	})
	sums := s.Frozen(func(s *torch.Scope) *torch.Tensor {
		z := s.FromFloat32(trained, voxels, len(fd.train)).Linear(fd.onto, nil) // (V, K)
		w := s.FromFloat32(measured, voxels, len(fd.held))                      // (V, N)
		var each []*torch.Tensor
		for _, d := range fd.shrink {
			each = append(each, z.Scoped(func(z *torch.Tensor) *torch.Tensor {
				dz := z.Mul(d)
				p := dz.Linear(fd.spread, nil) // (V, N)
				return torch.Stack(0, p.Mul(w).Sum(1), p.Square().Sum(1), dz.Linear(fd.mean, nil).Squeeze(1))
			}))
		}
		return torch.Cat(0, each...) // (3·penalties, V)
	}).Float32s()
	scores := make([][]float64, len(fd.shrink))
	for a, factor := range fd.factor {
		scores[a] = make([]float64, voxels)
		for v, t := range targets {
			at := func(i int) float64 { return float64(sums[(3*a+i)*voxels+v]) }
			scores[a][v] = t.score(fd.selection, at(0), math.Sqrt(at(1)), at(2), factor, float64(len(fd.held)))
		}
	}
	return scores
}

// score is a voxel's score from sums over its n predictions, all times factor: their product with
// the measured responses, their norm, and their mean. Where it has no meaning it is 0.
func (t target) score(selection Selection, product, norm, mean, factor, n float64) float64 {
	if t.constant || selection == R && norm == 0 {
		return 0
	}
	score := product / norm
	if selection == R2 {
		square := func(x float64) float64 { return x * x }
		score = 2*product/factor/t.norm - square(norm/factor/t.norm) - n*square((t.offset-mean/factor)/t.norm)
	}
	if score-score != 0 {
		return 0
	}
	return score
}
