package rowsource

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Rows in another order are the same values, however they are read.
func TestClipsPutRowsInOrder(t *testing.T) {
	plain, order := counted{2, 3, 4}, []int{2, 0, 1}
	for _, s := range []Source{Clips(plain, order, nil), Clips(tiled{plain}, order, nil)} {
		out := make([]float32, 8)
		require.NoError(t, s.ReadRows(t.Context(), 1, 0, 2, out))
		assert.Equal(t, []float32{21, 22, 23, 24, 13, 14, 15, 16}, out, "rows 2 and 0 of repeat 1")
	}
	out := make([]float32, 6)
	require.NoError(t, Clips(tiled{plain}, order, nil).(Columns).ReadTile(t.Context(), 1, 2, out))
	assert.Equal(t, []float32{10, 2, 6, 22, 14, 18}, out)
}

// Two clips with three times each: the mean over the second and third.
func TestTimeMeans(t *testing.T) {
	s := Joined(Bins(counted{2, 3, 4}, Binning{From: 1, Size: 2, Rows: 1}))
	repeats, rows, columns := s.Shape()
	assert.Equal(t, []int{1, 2, 4}, []int{repeats, rows, columns})
	out := make([]float32, 8)
	require.NoError(t, s.ReadRows(t.Context(), 0, 0, 2, out))
	assert.Equal(t, []float32{7, 8, 9, 10, 19, 20, 21, 22}, out)
}

func TestNotFiniteNamesTheClip(t *testing.T) {
	var bad NotFinite
	bad.Add(6, float32(math.NaN()))
	s := Clips(counted{1, 2, 4}, []int{1, 0}, []string{"dog", "cat"})
	assert.ErrorContains(t, bad.Err(s, "x.npy"), "clip cat, channel 2 is NaN")
}
