//go:build slow

package evaluate_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	"github.com/brainwavlm/bwlm/internal/sim"
)

// The rate and the number of epochs of examples/natsound come from here: of three rates, the smallest of those with the
// largest validation r after the last epoch, in clips with planted components. With it the planted channels gain in
// other clips, and those of responses of noise do not.
func TestTheRateOfClipsIsChosenOnPlantedOnes(t *testing.T) {
	const chosen, epochs = 3e-3, 12
	run := func(opt sim.EventOptions, lr float64) (val []float64, gain map[string]float64) {
		st := clips(t, opt, func(e *experiment.Experiment) {
			e.Train.Loss, e.Train.Epochs, e.Train.LR, e.Train.ReadoutLR = experiment.LossTemporal, epochs, lr, 1e-3
			e.Train.BlockRows, e.Eval.Layer = 33, experiment.EvalLayerVoxel
		})
		r, err := st.Begin(t.Context())
		require.NoError(t, err)
		defer r.Close()
		p, err := tune.Fit(t.Context(), st, r)
		require.NoError(t, err)
		for _, e := range p.Epochs {
			val = append(val, e.ValR)
		}
		s, err := evaluate.EvaluateRun(t.Context(), st, r)
		require.NoError(t, err)
		gain = map[string]float64{}
		for roi, d := range s.Test.Delta.ROIs {
			gain[roi] = d.MeanR
		}
		t.Logf("rate %g, null %v: epoch %d of %d; validation r %.3f; gain %v", lr, opt.Null, s.Chosen,
			epochs, val, gain)
		return val, gain
	}
	best := map[float64]float64{}
	var gain map[string]float64
	for _, lr := range []float64{1e-3, 1e-2, chosen} {
		var val []float64
		val, gain = run(sim.EventOptions{Seed: 1, TuneClips: 120}, lr)
		best[lr] = val[epochs]
	}
	assert.Greater(t, best[chosen], best[1e-3]+.01)
	assert.Less(t, best[1e-2], best[chosen]+.01)
	assert.Greater(t, gain[sim.Semantic], .02)
	_, gain = run(sim.EventOptions{Seed: 5, TuneClips: 120, Null: true}, chosen)
	assert.InDelta(t, 0, gain[sim.Semantic], .1)
}
