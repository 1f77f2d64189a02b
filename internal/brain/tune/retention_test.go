package tune_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	"github.com/brainwavlm/bwlm/internal/testnum"
	"github.com/brainwavlm/bwlm/torch"
)

// guardedTiny guards the four voxels of front and tunes on the others.
func guardedTiny(e *experiment.Experiment, s *dataset.Spec) {
	studytest.WithRegion(s, "back", studytest.FromTo(4, 60)...)
	e.Data.ROI, e.Train.RetainROI, e.Train.RetainWeight = []string{"back"}, []string{"front"}, 3
}

// The penalty is 0 at the start, and later what its formula says, computed here from features and the fixed readout.
func TestGuardPenaltyFollowsItsFormula(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	for _, margin := range []float64{0, .05} {
		st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment,
			s *dataset.Spec) {
			guardedTiny(e, s)
			e.Train.RetainMargin = margin
		})
		tr, err := tune.NewTrainer(t.Context(), st)
		require.NoError(t, err)
		defer tr.Close()
		f, err := tr.ReadForEpoch(t.Context())
		require.NoError(t, err)
		tr.Zscore = f[0].Zscore
		require.NoError(t, tr.FitRetention(t.Context(), &f[0]))
		guard := tr.Retention
		difference := func(b tune.Block) float64 {
			with, _ := studytest.Gradients(tr, t, b, 1000, 1, 1)
			tr.Retention = nil
			without, _ := studytest.Gradients(tr, t, b, 1000, 1, 1)
			tr.Retention = guard
			return with - without
		}
		for _, b := range tr.Order {
			assert.InDelta(t, 0, difference(b), 1e-5, "the untuned model has lost nothing")
		}

		require.NoError(t, tr.Session.Train(t.Context(), 0, func(s *torch.Scope) error {
			k := uint64(0)
			for name, p := range tr.Params() {
				if strings.Contains(name, "lora_B") {
					p.CopyFrom(s.FromFloat32(testnum.Values(p.Len(), k), p.Shape()...))
					k++
				}
			}
			return nil
		}))
		now, err := tr.ReadForEpoch(t.Context())
		require.NoError(t, err)
		tr.Zscore = now[0].Zscore
		lost := 0
		for k, b := range tr.Order {
			rows := b.To - b.From
			x := now[0].Of(design.Rows{Story: b.Story, From: b.From, To: b.To})
			var pred []float32
			require.NoError(t, st.Model.Session().Infer(t.Context(), func(s *torch.Scope) error {
				pred = guard.Readouts[0].Forward(s.FromFloat32(x, rows, now[0].Width)).Float32s()
				return nil
			}))
			measured, err := st.Subjects[0].Read(t.Context(), []int{0, 1, 2, 3},
				design.Rows{Story: b.Story, From: b.From, To: b.To})
			require.NoError(t, err)
			r, constant := stats.Correlation(pred, measured, rows, 4)
			mean, _ := stats.Mean(r, constant, nil)
			want := 3 * max(0, float64(guard.Before[0][k])-margin-mean)
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
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	var st *study.Study
	spoil := func(e progress.Event) {
		if e.Phase == progress.Tune && e.Done == 1 {
			studytest.Upend(st, "val", 0, 1, 2, 3)
		}
	}
	for _, guarded := range []bool{true, false} {
		st = studytest.Tiny(t, study.Options{Progress: spoil}, func(e *experiment.Experiment, s *dataset.Spec) {
			guardedTiny(e, s)
			if !guarded {
				e.Train.RetainROI = nil
			}
			e.Train.LR = 3e-3
		})
		_, p := studytest.MustFit(t, st)
		better := p.Epochs[1].ValR > p.Epochs[0].ValR || p.Epochs[2].ValR > p.Epochs[0].ValR
		require.True(t, better, "epochs: %v", p.Epochs)
		if !guarded {
			assert.Positive(t, p.Best)
			assert.Nil(t, p.Epochs[0].RetainedR)
			continue
		}
		assert.Zero(t, p.Best)
		assert.Less(t, *p.Epochs[1].RetainedR, *p.Epochs[0].RetainedR)
	}
	r := func(x float64) results.Epoch { return results.Epoch{RetainedR: &x} }
	g := &tune.Retention{Margin: .01}
	assert.True(t, g.Admits(r(.291), r(.3)))
	assert.False(t, g.Admits(r(.289), r(.3)))
}
