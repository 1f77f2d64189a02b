package datacheck

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAliceCheck(t *testing.T) {
	shared := os.Getenv("BWLM_SHARED")
	if shared == "" {
		t.Skip("BWLM_SHARED does not name the folder with the real data")
	}
	d, err := dataset.Open(filepath.Join(shared, "data", "alice"))
	require.NoError(t, err)
	report, err := Run(t.Context(), d, Options{Subjects: []string{"sub-18", "group"}})
	require.NoError(t, err)
	assert.Equal(t, 362, report.Stories[0].Rows)
	assert.InDelta(t, 724, report.Stories[0].Seconds, .001)
	require.Len(t, report.Warnings, 1, "sub-18 is in raw scanner units, group is z-scored")
	assert.Contains(t, report.Warnings[0], "sub-18")
	t.Log("\n" + report.String())
}
