package tune_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/predict"
	"github.com/brainwavlm/bwlm/brain/ridge"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/readout"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	"github.com/brainwavlm/bwlm/internal/testnum"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// The mix of predictions is that of features: computed here voxel by voxel.
func TestLayerMixFollowsItsFormula(t *testing.T) {
	const rows, states, delays, channels, voxels = 4, 3, 2, 5, 6
	x := testnum.Values(rows*delays*states*channels, 1)
	groups := []int{0, 1, 1, 2, 0, 2}
	var got, logits, weight, bias []float32
	store, mix := nn.NewStore(), nn.NewStore()
	defer store.Close()
	defer mix.Close()
	require.NoError(t, torch.Train(t.Context(), 3, func(s *torch.Scope) error {
		r, err := readout.New(s, store, delays*channels, 0, voxels, nn.Zeros)
		require.NoError(t, err)
		r.Weights, err = readout.NewLayerWeights(s, mix, states, delays, groups)
		require.NoError(t, err)
		assert.Equal(t, make([]float32, states*3), r.Weights.Logits.Float32s(), "all start alike")
		r.Weights.Logits.CopyFrom(s.FromFloat32(testnum.Values(states*3, 2), states, 3))
		store.Param("linear.bias").CopyFrom(s.FromFloat32(testnum.Values(voxels, 4), voxels))
		got = r.Forward(s.FromFloat32(x, rows, len(x)/rows)).Float32s()
		logits, weight, bias = r.Weights.Logits.Float32s(), store.Param("linear.weight").Float32s(),
			store.Param("linear.bias").Float32s()
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
						want += share[l] / total * float64(x[((k*delays+d)*states+l)*channels+c]) *
							float64(weight[v*delays*channels+d*channels+c])
					}
				}
			}
			assert.InDelta(t, want, got[k*voxels+v], 1e-5)
		}
	}
}

func TestLayerMixIsTrained(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole training, or a golden of one")
	}
	for _, per := range []experiment.LayerWeights{"voxel", "roi"} {
		st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
			e.Readout.LayerWeights, e.Train.LayerWeightsLR = per, .1
			e.Data.Subjects = []string{"ada", "bob"}
		})
		tr := studytest.TrainerOf(t, st)
		_, grads := studytest.Gradients(tr, t, tune.Block{Story: "one", From: 4, To: 14, Subjects: []int{0}}, 1000, 1,
			1)
		_, inRuns := studytest.Gradients(tr, t, tune.Block{Story: "one", From: 4, To: 14, Subjects: []int{0}}, 7, 1, 1)
		for name, g := range grads {
			assert.InDeltaSlice(t, g, inRuns[name], 1e-6, name)
		}
		assert.NotZero(t, studytest.Norm(grads["readout.ada.layer_weights.logits"]))
		assert.Len(t, grads["readout.ada.layer_weights.logits"],
			3*map[experiment.LayerWeights]int{"voxel": 60, "roi": 2}[per])

		run, p := studytest.MustFit(t, st)
		assert.Less(t, *p.Epochs[2].Loss, *p.Epochs[1].Loss)
		_, f, err := run.Open(p.Step)
		require.NoError(t, err)
		logits, err := f.Float32("weights.readout.bob.layer_weights.logits")
		require.NoError(t, err)
		require.NoError(t, f.Close())
		assert.NotZero(t, studytest.Norm(logits), "%s: it has moved", per)

		predictor, err := predict.Open(t.Context(), run.Dir,
			predict.Options{Subject: "bob", Device: torchtest.Device()})
		if p.Best == 0 {
			continue
		}
		require.NoError(t, err)
		defer predictor.Close()
		sound, _ := studytest.TinySound(9)
		out, err := predictor.Predict(t.Context(), sound)
		require.NoError(t, err)
		assert.NotZero(t, studytest.Norm(out.Values))
	}
}

// With eval.layer: voxel each voxel is predicted from the hidden state with the best cross-validated score.
func TestEachVoxelHasItsLayer(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) { e.Eval.Layer = "voxel" })
	fs, err := encoding.Read(t.Context(), st, st.Reader(st.Model), "", st.StoriesOf(study.Train, study.Test), 0, 1, 2)
	require.NoError(t, err)
	got, err := encoding.Predict(t.Context(), st, st.Subjects, fs, study.Test)
	require.NoError(t, err)
	p := st.Subjects[0]
	y, rows, err := p.ReadSplit(t.Context(), study.Train)
	require.NoError(t, err)
	best, want := make([]float64, 60), make([]float32, len(got[0].Pred))
	used := map[int]bool{}
	choice := make([]int, 60)
	for l := range fs {
		x, _ := fs[l].Stack(p, study.Train)
		m, err := ridge.Fit(t.Context(), x, y, rows, st.RidgeOptions())
		require.NoError(t, err)
		x, n := fs[l].Stack(p, study.Test)
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
	assert.Equal(t, want, got[0].Pred)

	run, _ := studytest.MustFit(t, st)
	s, err := evaluate.EvaluateRun(t.Context(), st, run)
	require.NoError(t, err)
	assert.Nil(t, s.Test.Base.Layer)
	assert.Nil(t, s.Test.Tuned.Layer)
	assert.NotNil(t, s.Test.BaseBestLayer.Layer)
}
