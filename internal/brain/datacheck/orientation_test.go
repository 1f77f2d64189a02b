package datacheck

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// What the values say of rows and columns, for right matrices and their transposes.
func TestOrientation(t *testing.T) {
	const rows, columns = 145, 150
	rng := rand.New(rand.NewPCG(5, 6))
	bold := make([]float32, rows*columns) // slow signals of their own, and one that all voxels have
	common := make([]float64, rows)
	for k := range common {
		common[k] = math.Sin(float64(k)/9) + .5*rng.NormFloat64()
	}
	for c := range columns {
		x, depth := 0., rng.Float64()
		for k := range rows {
			x = .7*x + rng.NormFloat64()
			bold[k*columns+c] = float32(x + depth*common[k])
		}
	}
	scanner, scaled, noise := make([]float32, len(bold)), make([]float32, len(bold)), make([]float32, len(bold))
	gain := make([]float64, columns)
	for c := range gain {
		gain[c] = 400 + 2600*rng.Float64()
	}
	for i, x := range bold {
		scanner[i] = float32(gain[i%columns] * (1 + .01*float64(x)))
		scaled[i] = x / 100 // percent signal change about a mean of 0 that was not of these rows
		noise[i] = float32(rng.NormFloat64())
	}
	zscored := design.FitZScore(bold, rows, columns).Apply(bold)
	for name, c := range map[string]struct {
		values []float32
		want   orientation
	}{
		"z-scored by voxel":        {zscored, upright},
		"without its mean":         {design.Detrend(scanner, rows, columns, 1), upright},
		"in units of the scanner":  {scanner, upright},
		"z-scored, rows cut since": {zscored[10*columns:], unclear},
		"percent signal change":    {scaled, unclear},
		"noise":                    {noise, unclear},
		"one value":                {make([]float32, rows*columns), unclear},
	} {
		n := len(c.values) / columns
		turned := make([]float32, len(c.values))
		for i, x := range c.values {
			turned[i%columns*n+i/columns] = x
		}
		open := func(m *dataset.Matrix) *dataset.Responses {
			d, err := dataset.New(dataset.Spec{Name: "d", TR: 2, Stories: []dataset.Story{{Name: "a"}},
				Subjects: []dataset.Subject{{Name: "s", Responses: []dataset.Response{{Story: "a",
					Matrix: dataset.Value(m)}}}}})
			require.NoError(t, err)
			r, err := d.OpenResponses(t.Context(), "s", "a")
			require.NoError(t, err)
			return r
		}
		got, err := orientationOf(t.Context(), open(dataset.NewMatrix(n, columns, c.values)))
		require.NoError(t, err, name)
		assert.Equal(t, c.want, got, name)
		got, err = orientationOf(t.Context(), open(dataset.NewMatrix(columns, n, turned)))
		require.NoError(t, err, name)
		assert.Equal(t, map[orientation]orientation{upright: transposed}[c.want], got, "%s, transposed", name)
	}
}

// A matrix whose columns fit the audio is looked into: a transposed one is refused, a right one passes.
func TestATransposedMatrixOfNearlyAsManyVoxelsAsTRs(t *testing.T) {
	values := make([]float32, 145*150)
	for i := range values {
		values[i] = float32(1000+7*(i/150)) + float32(i%7) // each row about a mean of its own
	}
	made := func(rows, columns int, values []float32) *dataset.Dataset {
		d, err := dataset.New(dataset.Spec{Name: "d", TR: 2, Stories: []dataset.Story{{Name: "a",
			Audio: dataset.Value(make([]float32, 300*dataset.SampleRate))}}, Subjects: []dataset.Subject{{Name: "s",
			Responses: []dataset.Response{{Story: "a", Matrix: dataset.Value(dataset.NewMatrix(rows, columns,
				values))}}}}})
		require.NoError(t, err)
		return d
	}
	shapes, err := CheckShapes(t.Context(), made(145, 150, values), []string{"s"}, []string{"a"})
	require.NoError(t, err)
	faulttest.Require(t, fault.BadData, shapes.Err(), "145 × 150 looks transposed: its 150 columns fit the audio, its "+
		"rows do not")
	turned := make([]float32, len(values))
	for i, x := range values {
		turned[i%150*145+i/150] = x
	}
	shapes, err = CheckShapes(t.Context(), made(150, 145, turned), []string{"s"}, []string{"a"})
	require.NoError(t, err)
	require.NoError(t, shapes.Err())
	assert.Empty(t, shapes.Notes)
	right := make([]float32, len(values)) // 145 TRs of 150 voxels, as many as the audio has TRs
	for i := range right {
		right[i] = float32(1000+7*(i%150)) + float32(i/150%7)
	}
	shapes, err = CheckShapes(t.Context(), made(145, 150, right), []string{"s"}, []string{"a"})
	require.NoError(t, err)
	require.NoError(t, shapes.Err())
	require.Len(t, shapes.Notes, 1)
	assert.NotContains(t, shapes.Notes[0], "transposed")
}
