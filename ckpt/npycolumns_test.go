package ckpt

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

// Every matrix that NumPy wrote for these tests gives, column by column, what ReadNPY gives row by row.
func TestColumnsEqualReadNPY(t *testing.T) {
	paths, err := filepath.Glob("testdata/npy/*.npy")
	require.NoError(t, err)
	matrices := 0
	for _, path := range paths {
		want, err := ReadNPY(path)
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
		if want.DType == BOOL && len(want.Data) > 0 {
			require.Error(t, c.Read(0, c.Cols, make([]float32, c.Rows*c.Cols)))
			continue
		}
		require.NoError(t, err)
		whole, err := c.Matrix()
		require.NoError(t, err)
		require.Equal(t, rows, whole, path)
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
	require.NoError(t, WriteNPY(path, []int{rows, cols}, x))
	byRow, err := OpenColumns(path)
	require.NoError(t, err)
	defer byRow.Close()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	flipped := bytes.Replace(b, []byte("'fortran_order': False, 'shape': (700, 1100)"), []byte("'fortran_order': True , 'shape': (1100, 700)"), 1)
	byColumn, err := newColumns(bytes.NewReader(flipped), int64(len(flipped)), "x.npy")
	require.NoError(t, err)
	got := make([]float32, rows*cols)
	require.NoError(t, byRow.Read(0, cols, got))
	for i, v := range got {
		require.Equal(t, x[i%rows*cols+i/rows], v)
	}
	require.NoError(t, byColumn.Read(0, rows, got))
	require.Equal(t, x, got)
}

func TestColumnsRefused(t *testing.T) {
	b := npyBytes("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 2)}", make([]byte, 32))
	for n := range b {
		_, err := newColumns(bytes.NewReader(b[:n]), int64(n), "x.npy")
		faulttest.Require(t, fault.BadData, err, "read npy: x.npy: ")
	}
	_, err := OpenColumns(filepath.Join(t.TempDir(), "none.npy"))
	faulttest.Require(t, fault.Missing, err, "none.npy")
	b[len(b)-1] = 0x7e // 1e300 or so
	c, err := newColumns(bytes.NewReader(b), int64(len(b)), "x.npy")
	require.NoError(t, err)
	faulttest.Require(t, fault.BadData, c.Read(1, 2, make([]float32, 2)), "too large for a 32-bit float")
}
