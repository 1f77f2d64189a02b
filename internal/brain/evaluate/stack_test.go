package evaluate_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/npy"
)

// Base and tuned are both stacked, and the weights of each are written.
func TestStacksOfARunAreWritten(t *testing.T) {
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Eval.Layer, e.Train.Epochs = experiment.EvalLayerStack, 1
	})
	assert.Contains(t, strings.Join(st.Notes, "\n"), "scores are of stacks: predictions from hidden states 0 to 2")
	run, _ := studytest.MustFit(t, st)
	s, err := evaluate.EvaluateRun(t.Context(), st, run)
	require.NoError(t, err)
	assert.Nil(t, s.Test.Base.Layer)
	require.NotNil(t, s.Test.Tuned)
	dir := filepath.Join(run.Dir, "eval", "test", st.Subjects[0].Name)
	for _, system := range []string{"base", "tuned"} {
		a, err := npy.ReadMatrix(filepath.Join(dir, system+"_stack.npy"))
		require.NoError(t, err)
		require.Equal(t, []int{3, st.Subjects[0].Voxels}, []int{a.Rows, a.Cols})
		for v := range st.Subjects[0].Voxels {
			sum := float32(0)
			for l := range 3 {
				assert.GreaterOrEqual(t, a.Data[l*st.Subjects[0].Voxels+v], float32(0))
				sum += a.Data[l*st.Subjects[0].Voxels+v]
			}
			assert.InDelta(t, 1, sum, 1e-5)
		}
	}
	table, err := os.ReadFile(filepath.Join(dir, "stack.tsv"))
	require.NoError(t, err)
	lines := strings.Split(string(table), "\n")
	assert.True(t, strings.HasPrefix(lines[0], "hidden_state\tbase\t"), lines[0])
	assert.Contains(t, lines[0], "\ttuned")
	assert.Len(t, lines, 1+3+1)
}
