package brain

import (
	"fmt"

	"github.com/brainwavlm/bwlm/torch"
)

// Loss compares predictions and responses, both (T, V), and gives one element to minimise.
type Loss func(pred, want *torch.Tensor) *torch.Tensor

// MinSpatialTargets is the least number of varying targets for the spatial loss: a correlation over fewer voxels
// is mostly noise.
const MinSpatialTargets = 50

// What varies by less than this share of its mean square does so by rounding alone: Float32 carries 24 bits.
const rounding = 1e-12

// leastVariance is the least that counts, and keeps the square root of none finite.
const leastVariance = 1e-30

// SpatialLoss is minus the mean over rows of the correlation across voxels (BrainWavLM, arXiv 2502.08866).
func SpatialLoss(pred, want *torch.Tensor) *torch.Tensor {
	return Correlation(pred, want, 1).Mean().Neg()
}

// TemporalLoss is minus the mean over voxels of the correlation across rows.
func TemporalLoss(pred, want *torch.Tensor) *torch.Tensor {
	return Correlation(pred, want, 0).Mean().Neg()
}

// MSELoss is the mean squared difference.
func MSELoss(pred, want *torch.Tensor) *torch.Tensor { return pred.Sub(want).Square().Mean() }

// Correlation is Pearson's r of pred and want (T, V) along dimension d: (V) for d = 0, (T) for d = 1. It does not
// depend on their scales. Where one of them does not vary it is 0, and so is its gradient.
func Correlation(pred, want *torch.Tensor, d int) *torch.Tensor {
	return standard(pred, d).Mul(standard(want, d)).Mean(d)
}

// standard brings x to mean 0 and variance 1 along d, and what does not vary to 0.
func standard(x *torch.Tensor, d int) *torch.Tensor {
	centred := x.Sub(x.MeanKeep(d))
	variance := centred.Square().MeanKeep(d)
	varies := variance.Sub(x.Square().MeanKeep(d).Scale(rounding)).Greater(leastVariance).To(x.DType())
	return centred.Mul(variance.ClampMin(leastVariance).RSqrt()).Mul(varies)
}

// newLoss finds a loss by its name in the experiment file for so many varying targets. The name that it gives back
// says what auto chose.
func newLoss(name string, targets int, shrunken bool) (Loss, string, error) {
	if name == "auto" {
		name = "spatial"
		if targets < MinSpatialTargets {
			name = "temporal"
		}
	}
	if name == "spatial" && targets < MinSpatialTargets {
		return nil, name, fmt.Errorf("the spatial loss correlates across targets and needs at least %d that vary, here are %d; use temporal", MinSpatialTargets, targets)
	}
	loss, ok := map[string]Loss{"spatial": SpatialLoss, "temporal": TemporalLoss, "mse": MSELoss}[name]
	if !ok {
		return nil, name, fmt.Errorf("unknown loss %q", name)
	}
	if shrunken && name != "mse" {
		along, exact := map[string]int{"spatial": 1, "temporal": 0}[name], loss
		loss = func(pred, want *torch.Tensor) *torch.Tensor {
			n := float64(pred.Dim(along))
			return exact(pred, want).Scale((n - 1) / n)
		}
	}
	return loss, name, nil
}
