package responses

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
)

// Columns that have a signal in all repeats are found, in every form of files, whatever their scale.
func TestTheColumnsWhoseRepeatsAgree(t *testing.T) {
	const repeats, rows, columns = 3, 40, 2500
	rng := rand.New(rand.NewPCG(3, 4))
	signal := make([]float64, rows)
	for k := range signal {
		signal[k] = rng.NormFloat64()
	}
	good := []int{7, 1100, 2499}
	m := &dataset.Matrix{Repeats: repeats, Rows: rows, Voxels: columns, Data: make([]float32, repeats*rows*columns)}
	for i := range m.Data {
		k, c := i/columns%rows, i%columns
		x := rng.NormFloat64()
		if slices.Contains(good, c) {
			x = 1e4 + 50*(signal[k]+.3*x) // as of a scanner
		}
		switch c {
		case 5:
			x = 3
		case 6:
			x = math.NaN()
		}
		m.Data[i] = float32(x)
	}
	for name, r := range openings(t, m) {
		got, err := MostReliable(t.Context(), r, 3)
		require.NoError(t, err, name)
		assert.Equal(t, good, got, name)
		all, err := MostReliable(t.Context(), r, columns)
		require.NoError(t, err, name)
		assert.Len(t, all, columns-2, name)
		none, err := MostReliable(t.Context(), Only(r, 1), 3)
		require.NoError(t, err, name)
		assert.Empty(t, none, name)
	}
}
