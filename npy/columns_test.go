package npy

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// Every matrix that NumPy wrote for these tests gives, column by column, what Read gives row by
// row.
func TestColumnsEqualRead(t *testing.T) {
	paths, err := filepath.Glob("testdata/npy/*.npy")
	require.NoError(t, err)
	matrices := 0
	for _, path := range paths {
		want, err := Read(path)
		require.NoError(t, err)
		c, err := OpenColumns(path)
		if len(want.Shape) != 1 && len(want.Shape) != 2 {
			faulttest.Require(t, fault.BadData, err, "is not that of a matrix")
			continue
		}
		require.NoError(t, err, path)
		defer c.Close()
		require.Equal(t, append(slices.Clone(want.Shape), 1)[:2], []int{c.Rows, c.Cols}, path)
		rows, err := want.Float32()
		if want.DType == Bool && len(want.data) > 0 {
			require.Error(t, c.Read(0, c.Cols, make([]float32, c.Rows*c.Cols)))
			continue
		}
		require.NoError(t, err)
		whole, err := ReadMatrix(path)
		require.NoError(t, err)
		require.Equal(t, Matrix{c.Rows, c.Cols, rows}, whole, path)
		for from := range c.Cols {
			for to := from; to <= c.Cols; to++ {
				got := make([]float32, (to-from)*c.Rows)
				require.NoError(t, c.Read(from, to, got), path)
				for i, x := range got {
					require.Equal(t, rows[i%c.Rows*c.Cols+from+i/c.Rows], x, "%s, columns %d to %d", path, from, to)
				}
			}
		}
		matrices++
	}
	assert.Equal(t, 17, matrices)
}

func TestColumnsOfManyPieces(t *testing.T) {
	const rows, cols = 700, 1100 // more than two pieces by either order
	x := make([]float32, rows*cols)
	for i := range x {
		x[i] = float32(i)
	}
	path := filepath.Join(t.TempDir(), "x.npy")
	require.NoError(t, Write(path, []int{rows, cols}, x))
	byRow, err := OpenColumns(path)
	require.NoError(t, err)
	defer byRow.Close()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	flipped := bytes.Replace(b, []byte("'fortran_order': False, 'shape': (700, 1100)"),
		[]byte("'fortran_order': True , 'shape': (1100, 700)"), 1)
	require.NoError(t, os.WriteFile(path+".npy", flipped, 0o600))
	byColumn, err := OpenColumns(path + ".npy")
	require.NoError(t, err)
	defer byColumn.Close()
	got := make([]float32, rows*cols)
	require.NoError(t, byRow.Read(0, cols, got))
	for i, v := range got {
		require.Equal(t, x[i%rows*cols+i/rows], v)
	}
	require.NoError(t, byColumn.Read(0, rows, got))
	require.Equal(t, x, got)
	whole, err := ReadMatrix(path)
	require.NoError(t, err)
	require.Equal(t, Matrix{rows, cols, x}, whole)
	turned, err := ReadMatrix(path + ".npy")
	require.NoError(t, err)
	for i, v := range turned.Data {
		require.Equal(t, x[i%rows*cols+i/rows], v)
	}
}

func TestColumnsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npy")
	_, err := OpenColumns(path)
	faulttest.Require(t, fault.Missing, err, "x.npy")
	require.NoError(t, Write(path, []int{2, 2}, []float64{0, 0, 0, 1e300}))
	c, err := OpenColumns(path)
	require.NoError(t, err)
	defer c.Close()
	faulttest.Require(t, fault.BadData, c.Read(1, 2, make([]float32, 2)),
		"element 3, 1e+300, is too large for a 32-bit float")
	_, err = ReadMatrix(path)
	faulttest.Require(t, fault.BadData, err, "element 3, 1e+300")
}
