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

func TestCheckCountsRows(t *testing.T) {
	for name, c := range map[string]struct {
		a, b *Matrix
		trim [2]int
		warn string // part of the one warning, "" for none
		fail string // part of the error, "" for none
	}{
		"right":     {a: noise(30, 5), b: noise(45, 5)},
		"one short": {a: noise(29, 5), b: noise(45, 5)},
		"one long":  {a: noise(31, 5), b: noise(45, 5)},
		"trimmed, not said": {a: noise(15, 5), b: noise(45, 5),
			fail: "15 rows are 30.00 s at TR 2 s, the audio of 60.00 s has 30 TRs"},
		"trimmed, said": {a: noise(15, 5), b: noise(45, 5), trim: [2]int{10, 5},
			warn: "15 rows, the audio of 60.00 s has 30 TRs"},
		"two long":      {a: noise(32, 5), b: noise(45, 5), fail: "32 rows"},
		"half too many": {a: noise(30, 5), b: noise(68, 5), trim: [2]int{10, 5}, fail: "68 rows"},
		"swapped":       {a: noise(45, 5), b: noise(30, 5), trim: [2]int{10, 5}, fail: "they look swapped"},
		"transposed": {a: noise(6, 30), b: noise(45, 6), trim: [2]int{10, 20},
			fail: "6 × 30 looks transposed: the story has 30 TRs"},
		"as many voxels": {a: noise(30, 30), b: noise(45, 30)},
		"other voxels":   {a: noise(30, 5), b: noise(45, 6), fail: "6 voxels, story a has 5"},
		"constant everywhere": {a: NewMatrix(30, 1, make([]float32, 30)), b: noise(45, 1),
			fail: "none of 1 voxels varies"},
	} {
		t.Run(name, func(t *testing.T) {
			report, err := mustNew(t, two(c.a, c.b)).Check(t.Context(), CheckOptions{Trim: c.trim})
			if c.fail != "" {
				faulttest.Require(t, fault.BadData, err, "two: subject s1", c.fail)
				return
			}
			require.NoError(t, err)
			if c.warn == "" {
				assert.Empty(t, report.Warnings)
				return
			}
			require.Len(t, report.Warnings, 1)
			assert.Contains(t, report.Warnings[0], c.warn)
		})
	}
}

func TestCheckCountsFromTheFirstTR(t *testing.T) {
	spec := two(noise(25, 5), noise(45, 5))
	spec.Stories[0].First = 10
	_, err := mustNew(t, spec).Check(t.Context(), CheckOptions{})
	require.NoError(t, err)
	spec.Stories[0].First = 61
	_, err = mustNew(t, spec).Check(t.Context(), CheckOptions{})
	faulttest.Require(t, fault.BadData, err, "row 0 begins at 61 s")
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
	spec := two(noise(30, 5), noise(3, 5))
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
