package planning

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/brain/studytest"
)

// A plan of bins has the number of passes of both ways to read them, and nothing of a training.
func TestPlanOfBins(t *testing.T) {
	st, err := studytest.TrySeries(t, nil)
	require.NoError(t, err)
	defer st.Close()
	p, err := Estimate(t.Context(), st)
	require.NoError(t, err)
	assert.Zero(t, p.Epochs)
	assert.Equal(t, 12*5, p.WindowsRead)
	require.Len(t, p.Ways, 2)
	assert.Equal(t, "windows", p.Ways[0].Extraction)
	assert.Equal(t, "clip", p.Ways[1].Extraction)
	assert.InDelta(t, .32, p.Ways[1].Chunk, 1e-12)
	for _, y := range p.Ways {
		assert.Positive(t, y.Seconds)
		assert.Positive(t, y.PeakMB)
	}
	assert.InDelta(t, p.Seconds, p.Phases[0].Seconds+p.Phases[1].Seconds, 1e-9)
}
