package datacheck

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// noise is a matrix of which every voxel varies about 0.
func noise(rows, voxels int) *dataset.Matrix {
	rng := rand.New(rand.NewPCG(uint64(rows), uint64(voxels)))
	m := dataset.NewMatrix(rows, voxels, make([]float32, rows*voxels))
	for i := range m.Data {
		m.Data[i] = float32(rng.NormFloat64())
	}
	return m
}

// two is a data set of stories of 60 and 90 s, TR 2: 30 and 45 rows, of which the first begins at
// 0.
func two(a, b *dataset.Matrix) dataset.Spec {
	return dataset.Spec{Name: "two", TR: 2,
		Stories: []dataset.Story{
			{Name: "a", Audio: dataset.Value(make([]float32, 60*dataset.SampleRate)),
				Words: dataset.Value([]dataset.Word{{Onset: 1, Offset: 2, Text: "hi"}})},
			{Name: "b", Audio: dataset.Value(make([]float32, 90*dataset.SampleRate))},
		},
		Subjects: []dataset.Subject{{Name: "s1", Responses: []dataset.Response{{Story: "a", Matrix: dataset.Value(a)},
			{Story: "b", Matrix: dataset.Value(b)}}}},
	}
}

func mustNew(t testing.TB, spec dataset.Spec) *dataset.Dataset {
	t.Helper()
	d, err := dataset.New(spec)
	require.NoError(t, err)
	return d
}

func TestCheckRefusesAMatrixInWhichNothingVaries(t *testing.T) {
	_, err := Run(t.Context(), mustNew(t, two(dataset.NewMatrix(30, 1, make([]float32, 30)), noise(45, 1))), Options{})
	faulttest.Require(t, fault.BadData, err, "two: subject s1", "none of 1 voxels varies")
}

func TestCheckWarns(t *testing.T) {
	a, b := noise(30, 5), noise(45, 5)
	for k := range 30 {
		a.Row(0, k)[2] = 7     // constant in one story
		a.Row(0, k)[3] += 1000 // raw in one story
	}
	b.Stored = "int16"
	report, err := Run(t.Context(), mustNew(t, two(a, b)), Options{})
	require.NoError(t, err)
	require.Len(t, report.Warnings, 3)
	assert.Contains(t, report.Warnings[0], "story b: the file holds whole numbers (int16)")
	assert.Contains(t, report.Warnings[1], "1 constant voxels in 1 of 2 stories")
	assert.Contains(t, report.Warnings[2], "raw scanner units; set data.detrend")
	assert.Equal(t, MatrixReport{Subject: "s1", Story: "a", Repeats: 1, Rows: 30, Voxels: 5, Constant: 1, Raw: 1},
		report.Matrices[0])

	text := report.String()
	assert.Contains(t, text, "a      60.00    30")
	assert.Contains(t, text, "s1       a      1        30    5       1         1")
	assert.Contains(t, text, "warning: subject s1, story b: the file")
}

func TestCheckOnlyWhatIsAsked(t *testing.T) {
	spec := two(noise(30, 5), dataset.NewMatrix(45, 5, make([]float32, 225)))
	d := mustNew(t, spec)
	_, err := Run(t.Context(), d, Options{})
	require.Error(t, err)
	report, err := Run(t.Context(), d, Options{Stories: []string{"a"}})
	require.NoError(t, err)
	assert.Len(t, report.Matrices, 1)
	report, err = Run(t.Context(), d, Options{Subjects: []string{}})
	require.NoError(t, err)
	assert.Empty(t, report.Matrices)
	assert.Len(t, report.Stories, 2)
}

func TestCheckWords(t *testing.T) {
	spec := two(noise(30, 5), noise(45, 5))
	spec.Stories[0].Words = dataset.Value([]dataset.Word{{Onset: 1, Offset: 2, Text: "in"},
		{Onset: 60.5, Offset: 61, Text: "after"}})
	_, err := Run(t.Context(), mustNew(t, spec), Options{})
	faulttest.Require(t, fault.BadData, err, "words of story a", `"after" begins at 60.50 s, the audio lasts 60.00 s`)
}
