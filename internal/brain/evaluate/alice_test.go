package evaluate_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// alice reads an experiment of examples/alice and points it to the real data.
func alice(t *testing.T, file string, sets ...string) *experiment.Experiment {
	t.Helper()
	shared := os.Getenv("BWLM_SHARED")
	if shared == "" {
		t.Skip("BWLM_SHARED does not name the folder with the real data")
	}
	sets = append(sets, "data.path="+filepath.Join(shared, "data", "alice"), "device=cpu",
		"out="+filepath.Join(t.TempDir(), "run"))
	exp, err := experiment.Load(filepath.Join("..", "..", "..", "examples", "alice", file), sets...)
	require.NoError(t, err)
	return exp
}

// Real scanner data, from the audio file to the score: what an untuned model hears predicts how 27
// subjects's temporal and frontal regions answer, better than it predicts the same answers shifted
// in time.
func TestAliceGroupIsPredictedByAnUntunedModel(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole training, or a golden of one")
	}
	st, err := study.Open(t.Context(), alice(t, "group.yaml"), study.Options{})
	require.NoError(t, err)
	defer st.Close()
	dir := t.TempDir()
	s, err := evaluate.Evaluate(t.Context(), st, nil, dir)
	require.NoError(t, err)

	const rows, regions = 112, 6
	pred, want := readNPY(t, filepath.Join(dir, "test/group/base_pred.npy")),
		readNPY(t, filepath.Join(dir, "test/group/responses.npy"))
	null := stats.ShiftNull(pred, want, rows, regions, nil, 1)
	t.Logf("r %.3f, 95 %% of %d shifts below %.3f, p %.3f; %v", s.Test.Base.MeanR, len(null.Shifted), null.P95, null.P,
		s.Test.Base.ROIs)
	assert.InDelta(t, null.Observed, s.Test.Base.MeanR, 1e-6)
	assert.Len(t, null.Shifted, rows-1, "all shifts")
	assert.Greater(t, s.Test.Base.MeanR, null.P95)
	assert.Greater(t, s.Test.Base.MeanR, .15, "well above zero")
	for name, r := range s.Test.Base.ROIs {
		assert.Positive(t, r, name)
	}
}
