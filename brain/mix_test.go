package brain

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/ridge"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// The mix of predictions is that of features: computed here voxel by voxel.
func TestLayerMixFollowsItsFormula(t *testing.T) {
	const rows, states, delays, channels, voxels = 4, 3, 2, 5, 6
	x := values(rows*delays*states*channels, 1)
	groups := []int{0, 1, 1, 2, 0, 2}
	var got, logits, weight, bias []float32
	store, mix := nn.NewStore(), nn.NewStore()
	defer store.Close()
	defer mix.Close()
	require.NoError(t, torch.Train(t.Context(), 3, func(s *torch.Scope) error {
		r, err := newReadout(s, store, delays*channels, 0, voxels)
		require.NoError(t, err)
		r.mix, err = newLayerMix(s, mix, states, delays, groups)
		require.NoError(t, err)
		assert.Equal(t, make([]float32, states*3), r.mix.logits.Float32s(), "all start alike")
		r.mix.logits.CopyFrom(s.FromFloat32(values(states*3, 2), states, 3))
		store.Param("linear.bias").CopyFrom(s.FromFloat32(values(voxels, 4), voxels))
		got = r.Forward(s.FromFloat32(x, rows, len(x)/rows)).Float32s()
		logits, weight, bias = r.mix.logits.Float32s(), store.Param("linear.weight").Float32s(), store.Param("linear.bias").Float32s()
		return nil
	}))
	for k := range rows {
		for v := range voxels {
			share, total := make([]float64, states), 0.
			for l := range states {
				share[l] = math.Exp(float64(logits[l*3+groups[v]]))
				total += share[l]
			}
			want := float64(bias[v])
			for d := range delays {
				for l := range states {
					for c := range channels {
						want += share[l] / total * float64(x[((k*delays+d)*states+l)*channels+c]) * float64(weight[v*delays*channels+d*channels+c])
					}
				}
			}
			assert.InDelta(t, want, got[k*voxels+v], 1e-5)
		}
	}
}

func TestLayerMixIsTrained(t *testing.T) {
	for _, who := range []experiment.LayerWeights{"voxel", "roi"} {
		st := tiny(t, Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
			e.Readout.LayerWeights, e.Train.LayerWeightsLR = who, .1
			e.Data.Subjects = []string{"ada", "bob"}
		})
		tr := trainerOf(t, st)
		_, grads := tr.gradients(t, block{"one", 4, 14, []int{0}}, 1000, 1)
		_, inRuns := tr.gradients(t, block{"one", 4, 14, []int{0}}, 7, 1)
		for name, g := range grads {
			assert.InDeltaSlice(t, g, inRuns[name], 1e-6, name)
		}
		assert.NotZero(t, norm(grads["readout.ada.mix.logits"]))
		assert.Len(t, grads["readout.ada.mix.logits"], 3*map[experiment.LayerWeights]int{"voxel": 60, "roi": 2}[who])

		run, p := fit(t, st)
		assert.Less(t, *p.Epochs[2].Loss, *p.Epochs[1].Loss)
		_, f, err := run.open(p.Step)
		require.NoError(t, err)
		logits, err := f.Float32("weights.readout.bob.mix.logits")
		require.NoError(t, err)
		require.NoError(t, f.Close())
		assert.NotZero(t, norm(logits), "%s: it has moved", who)

		predictor, err := OpenPredictor(t.Context(), run.Dir, PredictorOptions{Subject: "bob", Device: torchtest.Device()})
		if p.Best == 0 {
			continue
		}
		require.NoError(t, err)
		defer predictor.Close()
		sound, _ := tinySound(9)
		out, err := predictor.Predict(t.Context(), sound)
		require.NoError(t, err)
		assert.NotZero(t, norm(out.Values))
	}
}

// With eval.layer: voxel each voxel is predicted from the hidden state with the best cross-validated score.
func TestEachVoxelHasItsLayer(t *testing.T) {
	st := tiny(t, Options{}, func(e *experiment.Experiment, _ *dataset.Spec) { e.Eval.Layer = "voxel" })
	fs, err := st.read(t.Context(), st.reader(st.Model), "", st.storiesOf(Train, Test), 0, 1, 2)
	require.NoError(t, err)
	got, err := st.predict(t.Context(), st.people, fs, Test)
	require.NoError(t, err)
	p := st.people[0]
	y, rows := p.want(Train)
	best, want := make([]float64, 60), make([]float32, len(got[0].pred))
	used := map[int]bool{}
	choice := make([]int, 60)
	for l := range fs {
		x, _ := fs[l].stack(p, Train)
		m, err := ridge.Fit(t.Context(), x, y, rows, st.ridgeOptions())
		require.NoError(t, err)
		x, n := fs[l].stack(p, Test)
		pred, err := m.Predict(t.Context(), x, n)
		require.NoError(t, err)
		for v, score := range m.Scores {
			if l == 0 || score > best[v] {
				best[v], choice[v] = score, l
				for k := range n {
					want[k*60+v] = pred[k*60+v]
				}
			}
		}
	}
	for _, l := range choice {
		used[l] = true
	}
	assert.Greater(t, len(used), 1, "voxels differ in this")
	assert.Equal(t, want, got[0].pred)

	run, _ := fit(t, st)
	s, err := st.EvaluateRun(t.Context(), run)
	require.NoError(t, err)
	assert.Nil(t, s.Test.Base.Layer)
	assert.Nil(t, s.Test.Tuned.Layer)
	assert.NotNil(t, s.Test.BaseBestLayer.Layer)
}
