package npy_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/labtest"
	"github.com/brainwavlm/bwlm/npy"
)

// The verdict on each .npy file of the laboratories' kinds, and values equal to what was put in.
func TestLaboratoryFilesGetTheirVerdict(t *testing.T) {
	verdicts := labtest.Verdicts(t, "numpy/*.npy", "old/*.npy")
	require.Len(t, verdicts, 8)
	_, x := labtest.Truth(t, "X")
	for file, verdict := range verdicts {
		path := filepath.Join(labtest.Dir(t), file)
		if why, refused := strings.CutPrefix(verdict, "refuse: "); refused {
			_, err := npy.ReadMatrix(path)
			said := map[string]string{"Python objects": "Python objects", "four dimensions": "is not that of a matrix",
				"text": `holds text (dtype <U6)`}[why]
			require.NotEmpty(t, said, verdict)
			faulttest.Require(t, fault.BadData, err, said)
			continue
		}
		require.Equal(t, "read", verdict)
		m, err := npy.ReadMatrix(path)
		require.NoError(t, err, file)
		want := x
		if strings.HasSuffix(file, "UTS03_NC.npy") { // one value for each voxel
			require.Equal(t, 7, m.Rows)
			continue
		}
		require.Len(t, m.Data, len(want))
		tolerance := 0.0
		if strings.HasSuffix(file, "half.npy") {
			tolerance = .001
		}
		for i := range want {
			require.InDelta(t, float64(float32(want[i])), m.Data[i], tolerance, file)
		}
	}
}
