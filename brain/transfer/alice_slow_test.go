//go:build slow

package transfer

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
)

// Real data: matrix, leave one out and curve of six subjects run through. One epoch in the place of
// ten; what all of them find is in docs/results/alice-transfer.md.
func TestAliceTransferRunsThrough(t *testing.T) {
	shared := os.Getenv("BWLM_SHARED")
	if shared == "" {
		t.Skip("BWLM_SHARED does not name the folder with the real data")
	}
	exp, err := experiment.Load(filepath.Join("..", "..", "examples", "alice", "transfer.yaml"),
		"data.path="+filepath.Join(shared, "data", "alice"),
		"device=cpu", "out="+filepath.Join(t.TempDir(), "run"), "train.epochs=1")
	require.NoError(t, err)
	st, err := brain.Open(t.Context(), exp, brain.Options{})
	require.NoError(t, err)
	defer st.Close()
	r, err := Run(t.Context(), st, Options{})
	require.NoError(t, err)
	const subjects = 6
	require.Len(t, r.Subjects, subjects)
	require.Len(t, r.Matrix, subjects)
	for i, row := range r.Matrix {
		require.Len(t, row, subjects)
		for k, x := range row {
			assert.Less(t, math.Abs(x-r.Base[k]), .3, "tuned on %s, tested on %s", r.Subjects[i], r.Subjects[k])
		}
	}
	for name, m := range map[string]*results.SubjectMean{"within": r.Within, "between": r.Between,
		"left out": r.LeaveOneOut.Delta, "seen": r.LeaveOneOut.DeltaSeen} {
		require.NotNil(t, m.CI95, name)
		assert.Less(t, math.Abs(m.Mean), .1, "%s: so short a training cannot do wonders", name)
	}
	assert.Len(t, r.LeaveOneOut.UnseenStories.Skipped, subjects, "the other story is a piece of the test rows")
	require.NotEmpty(t, r.Curve.Points)
	last := r.Curve.Points[len(r.Curve.Points)-1]
	assert.InDelta(t, 190*2/60., last.Minutes, 1e-9)
	assert.Equal(t, r.Base, last.Base)
}
