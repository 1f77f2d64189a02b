package bidsdata

import (
	"errors"
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// Rows of all forms are read; the medial wall is NaN in all of them, and is told.
func TestRowsOfLaboratories(t *testing.T) {
	root := filepath.Join(labfiles(t), "bids")
	got, err := scans(t, root, Options{Kind: Surface, Vertices: 12, Desc: "clean"})
	require.NoError(t, err)
	other, err := scans(t, root, Options{Kind: Surface, Vertices: 12, Space: "fsaverage6", Tasks: []string{"tunnel"},
		Desc: "clean"})
	require.NoError(t, err)
	require.Equal(t, got, other)
	var gaps Gaps
	rows := 0
	require.NoError(t, got[0].Each(nil, func(row int, values []float32) error {
		require.Equal(t, rows, row)
		require.Len(t, values, 24)
		require.NotEqual(t, values[0], values[12], "the hemispheres differ")
		gaps.Add(values)
		rows++
		return nil
	}))
	assert.Equal(t, 20, rows)
	assert.Equal(t, []int{10, 11, 22, 23}, gaps.Never())
	require.NoError(t, gaps.Check("x"))
	enough := errors.New("stop")
	require.ErrorIs(t, got[0].Each(nil, func(int, []float32) error { return enough }), enough)
	faulttest.Require(t, fault.Usage, got[0].Each([]int{1}, nil),
		"voxels are of volumes, this is surface in space fsaverage6")

	volumes, err := scans(t, root, Options{Kind: Volumes, Tasks: []string{"tunnel"}})
	require.NoError(t, err)
	rows = 0
	require.NoError(t, volumes[0].Each([]int{7, 3}, func(_ int, values []float32) error {
		require.Len(t, values, 2)
		rows++
		return nil
	}))
	assert.Equal(t, 20, rows)
	dense := Scan{Form: Form{Kind: Dense}, Files: []string{filepath.Join(root,
		"derivatives/cifti/sub-01_task-RDR_run-1_bold.dtseries.nii")}}
	rows = 0
	require.NoError(t, dense.Each(nil, func(_ int, values []float32) error {
		require.Len(t, values, 34)
		rows++
		return nil
	}))
	assert.Equal(t, 20, rows)
}

// fixed is a series in memory.
type fixed [][]float32

func (f fixed) Columns() int { return len(f[0]) }

func (f fixed) Each(visit func(row int, values []float32) error) error {
	for row, values := range f {
		if err := visit(row, values); err != nil {
			return err
		}
	}
	return nil
}

// broken ends with an error.
type broken struct{ fixed }

func (b broken) Each(visit func(row int, values []float32) error) error {
	if err := b.fixed.Each(visit); err != nil {
		return err
	}
	return errors.New("the file is cut")
}

func TestHemispheresAreJoinedRowByRow(t *testing.T) {
	left, right := fixed{{1}, {2}}, fixed{{10, 11}, {20, 21}}
	var got [][]float32
	visit := func(_ int, values []float32) error {
		got = append(got, append([]float32{}, values...))
		return nil
	}
	require.NoError(t, beside(left, right, visit))
	assert.Equal(t, [][]float32{{1, 10, 11}, {2, 20, 21}}, got)
	faulttest.Require(t, fault.BadData, beside(left, right[:1], visit), "the right hemisphere has no row 1")
	require.ErrorContains(t, beside(left, broken{right[:1]}, visit), "the file is cut")
	require.ErrorContains(t, beside(broken{left}, right, visit), "the file is cut")
}

func TestGaps(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	var g Gaps
	for _, row := range [][]float32{{1, nan, 3, 4, inf}, {1, nan, 3, nan, inf}, {1, nan, 3, nan, inf}} {
		g.Add(row)
	}
	assert.Equal(t, []int{1}, g.Never())
	faulttest.Require(t, fault.BadData, g.Check("x.nii"),
		"x.nii: column 3 is not finite in row 1 and in 2 of 3 rows; so are 2 columns in all")
	g = Gaps{}
	g.Add([]float32{1, nan})
	require.NoError(t, g.Check("x"))
	assert.Equal(t, []int{1}, g.Never())
	assert.Empty(t, (&Gaps{}).Never())
}
