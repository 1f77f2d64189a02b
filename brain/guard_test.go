package brain

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/torch"
)

// guardedTiny guards the four voxels of front and tunes on the others.
func guardedTiny(e *experiment.Experiment, s *dataset.Spec) {
	withRegion(s, "back", fromTo(4, 60)...)
	e.Data.ROI, e.Train.RetainROI, e.Train.RetainWeight = []string{"back"}, []string{"front"}, 3
}

// The penalty is 0 at the start, and later what its formula says, computed here from features and the fixed readout.
func TestGuardPenaltyFollowsItsFormula(t *testing.T) {
	for _, margin := range []float64{0, .05} {
		st := tiny(t, Options{}, func(e *experiment.Experiment, s *dataset.Spec) { guardedTiny(e, s); e.Train.RetainMargin = margin })
		tr, err := st.newTrainer(t.Context())
		require.NoError(t, err)
		defer tr.close()
		f, err := tr.readForEpoch(t.Context())
		require.NoError(t, err)
		tr.zscore = f[0].zscore
		require.NoError(t, tr.fitGuard(t.Context(), &f[0]))
		guard := tr.guard
		difference := func(b block) float64 {
			with, _ := tr.gradients(t, b, 1000, 1)
			tr.guard = nil
			without, _ := tr.gradients(t, b, 1000, 1)
			tr.guard = guard
			return with - without
		}
		for _, b := range tr.order {
			assert.InDelta(t, 0, difference(b), 1e-5, "the untuned model has lost nothing")
		}

		require.NoError(t, tr.session.Train(t.Context(), 0, func(s *torch.Scope) error {
			k := uint64(0)
			for name, p := range tr.adam.Params() {
				if strings.Contains(name, "lora_B") {
					p.CopyFrom(s.FromFloat32(values(p.Len(), k), p.Shape()...))
					k++
				}
			}
			return nil
		}))
		now, err := tr.readForEpoch(t.Context())
		require.NoError(t, err)
		tr.zscore = now[0].zscore
		lost := 0
		for k, b := range tr.order {
			rows := b.to - b.from
			x := now[0].rows[b.story][b.from*now[0].width : b.to*now[0].width]
			var pred []float32
			require.NoError(t, st.Model.Session().Infer(t.Context(), func(s *torch.Scope) error {
				pred = guard.readouts[0].Forward(s.FromFloat32(x, rows, now[0].width)).Float32s()
				return nil
			}))
			r, constant := stats.Correlation(pred, st.people[0].responses[b.story].block(b.from, b.to, []int{0, 1, 2, 3}, 60), rows, 4)
			mean, _ := stats.Mean(r, constant, nil)
			want := 3 * max(0, float64(guard.before[0][k])-margin-mean)
			assert.InDelta(t, want, difference(b), 1e-4, "%v", b)
			if want > 0 {
				lost++
			}
		}
		assert.Positive(t, lost, "a wild adapter loses something")
	}
}

// An epoch that costs the guarded region is not chosen, however good it is elsewhere.
func TestGuardDecidesOnEpochs(t *testing.T) {
	var st *Study
	spoil := func(e Event) {
		if e.Phase == "tune" && e.Done == 1 {
			r := st.people[0].responses["val"]
			for i := range r.data {
				if i%60 < 4 {
					r.data[i] = -r.data[i]
				}
			}
		}
	}
	for _, guarded := range []bool{true, false} {
		st = tiny(t, Options{Progress: spoil}, func(e *experiment.Experiment, s *dataset.Spec) {
			guardedTiny(e, s)
			if !guarded {
				e.Train.RetainROI = nil
			}
			e.Train.LR = 3e-3
		})
		_, p := fit(t, st)
		better := p.Epochs[1].ValR > p.Epochs[0].ValR || p.Epochs[2].ValR > p.Epochs[0].ValR
		require.True(t, better, "epochs: %v", p.Epochs)
		if !guarded {
			assert.Positive(t, p.Best)
			assert.Nil(t, p.Epochs[0].GuardR)
			continue
		}
		assert.Zero(t, p.Best)
		assert.Less(t, *p.Epochs[1].GuardR, *p.Epochs[0].GuardR)
	}
	r := func(x float64) Epoch { return Epoch{GuardR: &x} }
	g := &guard{margin: .01}
	assert.True(t, g.admits(r(.291), r(.3)))
	assert.False(t, g.admits(r(.289), r(.3)))
}
