package controls

import (
	"math"
	"math/cmplx"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/dsp/fourier"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
)

func draw(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 3)) }

func TestShuffleMovesWholeBlocks(t *testing.T) {
	x := make([]float32, 2*35)
	for i := range x {
		x[i] = float32(i / 2)
	}
	for seed := range uint64(5) {
		y := shuffle(x, 35, 2, draw(seed))
		require.Len(t, y, len(x))
		assert.Equal(t, x, slices.Sorted(slices.Values(y)), "nothing is lost")
		breaks := 0
		for k := range 35 {
			assert.Equal(t, y[2*k], y[2*k+1], "voxels of a row stay together")
			if k > 0 && y[2*k] != y[2*k-2]+1 {
				breaks++
			}
		}
		assert.LessOrEqual(t, breaks, 3, "four blocks")
		assert.NotEqual(t, x[:20], y[:20])
	}
	assert.Equal(t, []float32{2, 3, 4, 0, 1}, shuffle([]float32{0, 1, 2, 3, 4}, 5, 1, draw(1)),
		"one block is rolled by half")
}

// TestPhasesAreAllThatChanges: power of each frequency and the correlation of the columns stay; the
// course of time does not.
func TestPhasesAreAllThatChanges(t *testing.T) {
	r := draw(1)
	for _, rows := range []int{64, 81} {
		const width = 3
		x := make([]float32, rows*width)
		for k := range rows {
			shared := r.NormFloat64()
			for c := range width {
				x[k*width+c] = float32(shared + r.NormFloat64() + float64(c))
			}
		}
		y := randomisePhases(x, rows, width, draw(2))
		column := func(x []float32, c int) []float64 {
			out := make([]float64, rows)
			for k := range out {
				out[k] = float64(x[k*width+c])
			}
			return out
		}
		fft := fourier.NewFFT(rows)
		for c := range width {
			a, b := fft.Coefficients(nil, column(x, c)), fft.Coefficients(nil, column(y, c))
			for k := range a {
				assert.InDelta(t, cmplx.Abs(a[k]), cmplx.Abs(b[k]), 1e-4)
			}
			assert.InDelta(t, dot(column(x, 0), column(x, c)), dot(column(y, 0), column(y, c)), 1e-3,
				"products of columns stay")
		}
		assert.Less(t, math.Abs(dot(centre(column(x, 0)), centre(column(y, 0)))),
			.5*dot(centre(column(x, 0)), centre(column(x, 0))))
	}
}

func dot(a, b []float64) (sum float64) {
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

func centre(x []float64) []float64 {
	mean := 0.
	for _, v := range x {
		mean += v / float64(len(x))
	}
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = v - mean
	}
	return out
}

func TestStretchAndPerRow(t *testing.T) {
	assert.Equal(t, []float32{1, 2, 3, 4, 1, 2}, stretch([]float32{1, 2, 3, 4}, 2, 3))
	assert.Equal(t, []float32{1, 2}, stretch([]float32{1, 2, 3, 4}, 2, 1))

	words := []dataset.Word{{Onset: .9, Text: "early"}, {Onset: 1, Text: "a"}, {Onset: 2.99, Text: "b"},
		{Onset: 3, Text: "a"}, {Onset: 7, Text: "late"}}
	of := func(w string) []float32 {
		return map[string][]float32{"a": {1, 0}, "b": {0, 2}, "early": {9, 9}, "late": {9, 9}}[w]
	}
	x := perRow(words, design.Clock{First: 1, TR: 2, RowTime: .5}, 3, 2, of)
	assert.Equal(t, []float32{1, 2, 1, 0, 0, 0}, x, "a word counts in the TR in which it begins")
}
