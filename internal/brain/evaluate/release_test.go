package evaluate_test

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/releasetest"
	"github.com/brainwavlm/bwlm/internal/rundir"
)

// released opens the golden of the authors' released code (testdata/release).
func released(t *testing.T) *study.Study {
	t.Helper()
	e, err := experiment.Load(releasetest.Path("experiment.yaml"), "out="+t.TempDir())
	require.NoError(t, err)
	st, err := study.Open(t.Context(), e, study.Options{})
	require.NoError(t, err)
	t.Cleanup(st.Close)
	return st
}

// otherAlphas counts the voxels with another alpha than the golden's: two candidates whose scores differ by rounding,
// which the golden of brain/ridge checks.
func otherAlphas(want []float32, got []float64) (n int) {
	for v, w := range want {
		if d := got[v]/float64(w) - 1; d > 1e-6 || d < -1e-6 {
			n++
		}
	}
	return n
}

// checkHeldOut compares r of validation and test stories with a file of want/ridge.
func checkHeldOut(t *testing.T, st *study.Study, file string, val, test encoding.Prediction, skip []int) {
	t.Helper()
	p, tol := st.Subjects[0], releasetest.Tolerances(t)["r"]
	compare := func(what string, r []float64) {
		want, got := releasetest.Tensor(t, file, what), rundir.Float32s(r)
		for _, v := range skip {
			got[v] = want[v]
		}
		releasetest.Within(t, want, got, tol, file+": "+what)
	}
	var allP, allY []float32
	for split, predicted := range map[study.Split]encoding.Prediction{study.Val: val, study.Test: test} {
		want, _, err := p.ReadSplit(t.Context(), split)
		require.NoError(t, err)
		for _, s := range encoding.StoryR(predicted.Pred, want, p.Voxels, p.Parts[split]) {
			compare("r."+s.Story, s.R)
		}
		allP, allY = append(allP, predicted.Pred...), append(allY, want...)
	}
	r, _ := stats.Correlation(allP, allY, len(allP)/p.Voxels, p.Voxels)
	compare("r.all_held_out", r)
}

// TestTheReleasesRefits: ridges on the features that bwlm reads, of the untuned model and of the golden's second
// epoch, with alphas of their own and with those of epoch 0.
func TestTheReleasesRefits(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole training, or a golden of one")
	}
	st := released(t)
	voxels := st.Subjects[0].Voxels
	require.Equal(t, releasetest.Voxels, voxels)
	tuned, err := st.LoadAdapter(t.Context(), releasetest.Path("want/epoch2/adapter"))
	require.NoError(t, err)
	defer tuned.Close()
	var first [][]float64
	for _, c := range []struct {
		file  string
		tuned bool
		reuse bool
	}{{"epoch0", false, false}, {"epoch2_own_alphas", true, false}, {"epoch2_alphas_of_epoch0", true, true}} {
		reader := st.Reader(st.Model)
		if c.tuned {
			reader = st.Reader(tuned.Model)
		}
		f, err := encoding.Read(t.Context(), st, reader, "", st.StoriesOf(study.Splits...), releasetest.Layer)
		require.NoError(t, err)
		var given [][]float64
		if c.reuse {
			given = first
		}
		var predicted [2][]encoding.Prediction
		for i, split := range []study.Split{study.Val, study.Test} {
			predicted[i], err = encoding.PredictWith(t.Context(), st, st.Subjects, f, split, given)
			require.NoError(t, err)
		}
		alphas, file := predicted[0][0].Alphas, "ridge/"+c.file+".safetensors"
		if first == nil {
			first = [][]float64{alphas}
		}
		want := releasetest.Tensor(t, file, "alpha")
		var skip []int
		for v := range want {
			if otherAlphas(want[v:v+1], alphas[v:v+1]) > 0 {
				skip = append(skip, v)
			}
		}
		assert.LessOrEqual(t, len(skip), map[bool]int{false: 0, true: 1}[c.file == "epoch2_own_alphas"],
			"%s: voxels with another alpha", c.file)
		checkHeldOut(t, st, file, predicted[0][0], predicted[1][0], skip)
	}
}

// TestEvaluationLeavesAlphasAndStoriesOfTheRelease: the files of an evaluation have the golden's alphas and r
// per story.
func TestEvaluationLeavesAlphasAndStoriesOfTheRelease(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole training, or a golden of one")
	}
	st := released(t)
	tuned, err := st.LoadAdapter(t.Context(), releasetest.Path("want/epoch2/adapter"))
	require.NoError(t, err)
	defer tuned.Close()
	dir := t.TempDir()
	s, err := evaluate.Evaluate(t.Context(), st, tuned, dir)
	require.NoError(t, err)
	tol := releasetest.Tolerances(t)["r"]
	for system, file := range map[string]string{"base": "ridge/epoch0.safetensors",
		"tuned": "ridge/epoch2_own_alphas.safetensors"} {
		read := func(name string) []float32 {
			return releasetest.ArrayOf(t, filepath.Join(dir, "test/one", system+"_"+name+".npy"))
		}
		var alphas []float64
		for _, a := range read("alpha") {
			alphas = append(alphas, float64(a))
		}
		others := otherAlphas(releasetest.Tensor(t, file, "alpha"), alphas)
		assert.LessOrEqual(t, others, map[string]int{"base": 0, "tuned": 1}[system])
		want, got := releasetest.Tensor(t, file, "r.wheretheressmoke"), read("story_r")
		require.Len(t, got, releasetest.Voxels)
		if others == 0 {
			releasetest.Within(t, want, got, tol, system+": r over the test story")
		}
		assert.Equal(t, read("r"), got, "one story")
		mean := 0.
		for _, v := range want {
			mean += float64(v) / float64(len(want))
		}
		require.Len(t, s.Test.StoryScores, 1)
		assert.Equal(t, "wheretheressmoke", s.Test.StoryScores[0].Story)
		if system == "base" {
			assert.InDelta(t, mean, s.Test.StoryScores[0].Base, tol)
		} else {
			story := s.Test.StoryScores[0]
			assert.InDelta(t, mean, *story.Tuned, 1e-3)
			assert.InDelta(t, *story.Tuned-story.Base, *story.Delta, 1e-12)
		}
	}
}
