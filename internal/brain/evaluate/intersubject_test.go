package evaluate_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/stats"
)

// Real data, and a ceiling that was published with them: what 27 subjects share of the six regions' responses.
func TestAliceLeaveOneOutIsThatOfItsSource(t *testing.T) {
	shared := os.Getenv("BWLM_SHARED")
	if shared == "" {
		t.Skip("BWLM_SHARED does not name the folder with the real data")
	}
	d, err := dataset.Open(filepath.Join(shared, "data", "alice"))
	require.NoError(t, err)
	const rows, regions, driftOrder = 362, 6, 12
	var responses []float32
	for _, subject := range d.SubjectNames() {
		m, err := d.ReadResponses(t.Context(), subject, "alice")
		require.NoError(t, err)
		require.Equal(t, []int{1, rows, regions}, []int{m.Repeats, m.Rows, m.Voxels}, subject)
		responses = append(responses, design.Detrend(m.Data, rows, regions, driftOrder)...)
	}
	subjects := len(d.SubjectNames())
	require.Equal(t, 27, subjects)
	s := stats.LeaveOneOutISC(responses, subjects, rows, regions)
	assert.InDeltaSlice(t, []float64{.27, .21, .37, .27, .25, .19}, s.R, .05)
	half := stats.SplitHalfReliability(responses, subjects, rows, regions, 100, 1)
	t.Logf("leave-one-out %.3f, upper end %.3f, ceiling of the group's mean %.3f", s.R, s.Upper, half.CCMax)
	for v, r := range s.R {
		assert.True(t, s.Defined[v] && half.Defined[v])
		assert.Less(t, r, s.Upper[v])
		assert.Less(t, r, half.CCMax[v], "the mean of 27 subjects has less noise than one of them")
	}
}
