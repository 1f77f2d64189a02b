package ridge

import (
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
)

// choice is a set of weights and a penalty, by index, and their score.
type choice struct {
	set, lambda int
	score       float64
}

// take makes the given alphas the choice of the voxels.
func (f *fit) take(alphas []float64) error {
	if len(alphas) != f.voxels {
		return fault.New(fault.BadData, "ridge", "given", "%d alphas for %d voxels", len(alphas), f.voxels)
	}
	for v, alpha := range alphas {
		f.best[v].lambda, _ = slices.BinarySearch(f.opt.Alphas, alpha)
	}
	return nil
}

// unscored makes any score better than that of the choices.
func (f *fit) unscored() {
	for v := range f.best {
		f.best[v].score = math.Inf(-1)
	}
}

// choose updates the choice of the voxels from number from on with the best penalty of a set, if that is better than
// those of the sets before. scores are (penalties, V).
func (f *fit) choose(set int, scores []float64, from int) {
	voxels := len(scores) / len(f.opt.Lambdas)
	for v := range voxels {
		best := &f.best[from+v]
		for a := range f.opt.Lambdas {
			score := scores[a*voxels+v]
			if score > best.score || score == best.score && best.set == set && !f.opt.SmallerTies {
				*best = choice{set, a, score}
			}
		}
	}
}

// chooseCommon updates the choice of all voxels with the penalty of a set that has the largest sum
// of scores over voxels, if that exceeds the sums of the sets before. Constant voxels add 0.
func (f *fit) chooseCommon(set int, scores []float64, most float64) float64 {
	for a := range f.opt.Lambdas {
		row := scores[a*f.voxels : (a+1)*f.voxels]
		sum := 0.0
		for _, score := range row {
			sum += score
		}
		if sum > most || sum == most && f.best[0].set == set && !f.opt.SmallerTies {
			most = sum
			for v := range f.best {
				f.best[v] = choice{set, a, row[v]}
			}
		}
	}
	return most
}
