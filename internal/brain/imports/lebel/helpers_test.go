package lebel

import (
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/brain/imports"
	"github.com/brainwavlm/bwlm/internal/nifti"
)

func indexOf(files []imports.File, path string) int {
	return slices.IndexFunc(files, func(f imports.File) bool { return f.Path == path })
}

func sizeOf(n int64) string { return imports.Size(n) }

// smallMask writes a mask of nine voxels.
func smallMask(t *testing.T) func(path string) {
	return func(path string) {
		values := make([]float32, 27)
		for i := range 9 {
			values[3*i] = 1
		}
		file, err := os.Create(path)
		require.NoError(t, err)
		defer file.Close()
		require.NoError(t, nifti.NewFloat([]int{3, 3, 3}, [3][4]float64{{1}, {0, 1}, {0, 0, 1}},
			values).WriteGzip(file))
	}
}
