package dataset

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// noise is a matrix of which every voxel varies about 0.
func noise(rows, voxels int) *Matrix {
	rng := rand.New(rand.NewPCG(uint64(rows), uint64(voxels)))
	m := NewMatrix(rows, voxels, make([]float32, rows*voxels))
	for i := range m.Data {
		m.Data[i] = float32(rng.NormFloat64())
	}
	return m
}

// two is a data set of stories of 60 and 90 s, TR 2: 30 and 45 rows, of which the first begins at
// 0.
func two(a, b *Matrix) Spec {
	return Spec{Name: "two", TR: 2,
		Stories: []Story{
			{Name: "a", Audio: Value(make([]float32, 60*SampleRate)), Words: Value([]Word{{1, 2, "hi"}})},
			{Name: "b", Audio: Value(make([]float32, 90*SampleRate))},
		},
		Subjects: []Subject{{Name: "s1", Responses: []Response{{Story: "a", Matrix: Value(a)},
			{Story: "b", Matrix: Value(b)}}}},
	}
}

func TestCheckRefusesAMatrixInWhichNothingVaries(t *testing.T) {
	_, err := mustNew(t, two(NewMatrix(30, 1, make([]float32, 30)), noise(45, 1))).Check(t.Context(), CheckOptions{})
	faulttest.Require(t, fault.BadData, err, "two: subject s1", "none of 1 voxels varies")
}

func TestCheckWarns(t *testing.T) {
	a, b := noise(30, 5), noise(45, 5)
	for k := range 30 {
		a.Row(0, k)[2] = 7     // constant in one story
		a.Row(0, k)[3] += 1000 // raw in one story
	}
	b.Stored = "int16"
	report, err := mustNew(t, two(a, b)).Check(t.Context(), CheckOptions{})
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
	spec := two(noise(30, 5), NewMatrix(45, 5, make([]float32, 225)))
	d := mustNew(t, spec)
	_, err := d.Check(t.Context(), CheckOptions{})
	require.Error(t, err)
	report, err := d.Check(t.Context(), CheckOptions{Stories: []string{"a"}})
	require.NoError(t, err)
	assert.Len(t, report.Matrices, 1)
	report, err = d.Check(t.Context(), CheckOptions{Subjects: []string{}})
	require.NoError(t, err)
	assert.Empty(t, report.Matrices)
	assert.Len(t, report.Stories, 2)
}

func TestCheckWords(t *testing.T) {
	spec := two(noise(30, 5), noise(45, 5))
	spec.Stories[0].Words = Value([]Word{{1, 2, "in"}, {60.5, 61, "after"}})
	_, err := mustNew(t, spec).Check(t.Context(), CheckOptions{})
	faulttest.Require(t, fault.BadData, err, "words of story a", `"after" begins at 60.50 s, the audio lasts 60.00 s`)
}
