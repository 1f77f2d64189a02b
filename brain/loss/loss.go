package loss

import (
	"fmt"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/torch"
)

// Func compares predictions and responses, both (T, V), and gives one element to minimise. Weights (V), of mean 1, say
// how much each voxel counts; nil: all alike. A mean over voxels is then the weighted mean, and so is every mean inside
// a correlation or a cosine.
type Func func(pred, want, weights *torch.Tensor) *torch.Tensor

// MinSpatialTargets is the least number of varying targets for losses that compare rows across voxels (spatial,
// nt_xent): a correlation over fewer voxels is mostly noise.
const MinSpatialTargets = 50

// What varies by less than this share of its mean square does so by rounding alone: Float32 carries 24 bits.
const rounding = 1e-12

// leastVariance is the least that counts, and keeps the square root of none finite.
const leastVariance = 1e-30

// Spatial is minus the mean over rows of the correlation across voxels (BrainWavLM, arXiv 2502.08866).
func Spatial(pred, want, weights *torch.Tensor) *torch.Tensor {
	return spatial(standard)(pred, want, weights)
}

func spatial(standard standardiser) Func {
	return func(pred, want, weights *torch.Tensor) *torch.Tensor {
		return correlation(standard, pred, want, weights, 1).Mean().Neg()
	}
}

// Temporal is minus the mean over voxels of the correlation across rows.
func Temporal(pred, want, weights *torch.Tensor) *torch.Tensor {
	return temporal(standard)(pred, want, weights)
}

func temporal(standard standardiser) Func {
	return func(pred, want, weights *torch.Tensor) *torch.Tensor {
		return weighted(correlation(standard, pred, want, nil, 0), weights).Mean().Neg()
	}
}

// MSE is the mean squared difference.
func MSE(pred, want, weights *torch.Tensor) *torch.Tensor {
	return weighted(pred.Sub(want).Square(), weights).Mean()
}

// CosineL2 is share·(1 - c) + (1 - share)·MSE, c being the mean over rows of the cosine across voxels: the pattern
// and, unlike with a correlation, its size and offset too. Moussa & Toneva (arXiv 2510.21520) add the two with λ = .5;
// their released code has a Huber loss in the place of the square.
func CosineL2(share float64) Func {
	return func(pred, want, weights *torch.Tensor) *torch.Tensor {
		cosine := weighted(unit(pred, weights).Mul(unit(want, weights)), weights).Mean()
		return cosine.AddScalar(-1).MulScalar(-share).Add(MSE(pred, want, weights).MulScalar(1 - share))
	}
}

// NTXent classifies which row a prediction belongs to: the normalised, temperature-scaled cross
// entropy (Chen et al. 2020, arXiv 2002.05709), used on fMRI by Negi et al. (bioRxiv
// 2025.07.07.662360). With s the cosine across voxels of predicted row i and measured row j,
// divided by the temperature, it is
//
//	-½ mean_i (log softmax_j s)(i, i) - ½ mean_j (log softmax_i s)(j, j)
//
// so the other rows of the block are the negatives, in both directions. Rows next to each other are alike because the
// haemodynamic response is slow; longer blocks make better negatives. A block of one row has none and counts 0.
func NTXent(temperature float64) Func {
	return func(pred, want, weights *torch.Tensor) *torch.Tensor {
		voxels := pred.Dim(1)
		p, y := weighted(unit(pred, weights), weights), unit(want, weights)
		s := p.MatMul(y.Transpose(0, 1)).MulScalar(1 / (temperature * float64(voxels))) // (T, T)
		return contrast(s)
	}
}

// contrast is the loss of NTXent from the similarities s (T, T).
func contrast(s *torch.Tensor) *torch.Tensor {
	rows := s.Dim(0)
	both := s.LogSoftmax(1).Add(s.LogSoftmax(0))
	return both.Mul(identity(s.Scope(), rows).ToType(s.DType())).Sum().MulScalar(-.5 / float64(rows))
}

// identity is the unit matrix (n, n).
func identity(s *torch.Scope, n int) *torch.Tensor {
	ones := make([]float32, n*n)
	for i := range n {
		ones[i*n+i] = 1
	}
	return s.FromFloat32(ones, n, n)
}

// Correlation is Pearson's r of pred and want (T, V) along dimension d: (V) for d = 0, (T) for d = 1, where weights (V)
// of mean 1 may make it a weighted r. It does not depend on the scales of pred and want. Where one of them does not
// vary it is 0, and so is its gradient.
func Correlation(pred, want, weights *torch.Tensor, d int) *torch.Tensor {
	return correlation(standard, pred, want, weights, d)
}

// correlation is [Correlation] of what a standardiser makes of pred and want.
func correlation(standard standardiser, pred, want, weights *torch.Tensor, d int) *torch.Tensor {
	return weighted(standard(pred, weights, d).Mul(standard(want, weights, d)), weights).Mean(d)
}

// weighted multiplies the last dimension of x by the weights of its voxels.
func weighted(x, weights *torch.Tensor) *torch.Tensor {
	if weights == nil {
		return x
	}
	return x.Mul(weights)
}

// standardiser brings x to mean 0 and SD 1 along d.
type standardiser func(x, weights *torch.Tensor, d int) *torch.Tensor

// standard is the standardiser that brings what does not vary to 0.
func standard(x, weights *torch.Tensor, d int) *torch.Tensor {
	centred := x.Sub(weighted(x, weights).MeanKeep(d))
	variance := weighted(centred.Square(), weights).MeanKeep(d)
	varies := variance.Sub(weighted(x.Square(),
		weights).MeanKeep(d).MulScalar(rounding)).Gt(leastVariance).ToType(x.DType())
	return centred.Mul(variance.ClampMin(leastVariance).RSqrt()).Mul(varies)
}

// leastDeviation is the SD up to which the released code takes x to be constant.
const leastDeviation = 1e-8

// undivided is the standardiser of the released code: it leaves what does not vary centred and undivided, so that a
// gradient passes through it. Its SD divides by one less than the number of elements if unbiased.
func undivided(unbiased bool) standardiser {
	return func(x, weights *torch.Tensor, d int) *torch.Tensor {
		centred := x.Sub(weighted(x, weights).MeanKeep(d))
		sd := deviation(centred, weights, d, unbiased)
		varies := sd.Gt(leastDeviation).ToType(x.DType())
		return centred.Div(sd.Mul(varies).Add(varies.MulScalar(-1).AddScalar(1)))
	}
}

// deviation is the SD of centred values along d.
func deviation(centred, weights *torch.Tensor, d int, unbiased bool) *torch.Tensor {
	variance := weighted(centred.Square(), weights).MeanKeep(d)
	if n := float64(centred.Dim(d)); unbiased {
		variance = variance.MulScalar(n / max(n-1, 1))
	}
	return variance.ClampMin(leastVariance).Sqrt()
}

// unit brings each row of x (T, V) to mean square 1, and a row of zeros to itself.
func unit(x, weights *torch.Tensor) *torch.Tensor {
	square := weighted(x.Square(), weights).MeanKeep(1)
	return x.Mul(square.ClampMin(leastVariance).RSqrt()).Mul(square.Gt(leastVariance).ToType(x.DType()))
}

// New returns the loss of an experiment for a number of varying targets, and its name, which auto resolves to.
func New(train experiment.Train, targets int, compat experiment.Compat) (Func, experiment.Loss, error) {
	name := train.Loss
	if name == experiment.LossAuto {
		name = experiment.LossSpatial
		if targets < MinSpatialTargets {
			name = experiment.LossTemporal
		}
	}
	if (name == experiment.LossSpatial || name == experiment.LossNTXent) && targets < MinSpatialTargets {
		return nil, name,
			fmt.Errorf("the %s loss compares rows across targets and needs at least %d that vary, here are %d; use "+
				"temporal",
				name, MinSpatialTargets, targets)
	}
	loss, ok := map[experiment.Loss]Func{experiment.LossSpatial: correlates(spatial, 1, compat),
		experiment.LossTemporal: correlates(temporal, 0, compat),
		experiment.LossMSE:      MSE, experiment.LossCosineL2: CosineL2(train.CosineShare),
		experiment.LossNTXent: NTXent(train.Temperature)}[name]
	if !ok {
		return nil, name, fmt.Errorf("unknown loss %q", name)
	}
	return loss, name, nil
}

// correlates returns a loss of correlations along a dimension, with the properties of the released code that are on.
func correlates(loss func(standardiser) Func, along int, compat experiment.Compat) Func {
	switch {
	case compat.ConstantRowGradient:
		return loss(undivided(compat.ShrunkenLossR))
	case !compat.ShrunkenLossR:
		return loss(standard)
	}
	exact := loss(standard)
	return func(pred, want, weights *torch.Tensor) *torch.Tensor {
		n := float64(pred.Dim(along))
		return exact(pred, want, weights).MulScalar((n - 1) / n)
	}
}
