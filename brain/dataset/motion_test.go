package dataset

import (
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

func TestMotionIsReadBesideItsResponses(t *testing.T) {
	// Motion may come before the subjects whose it is.
	dir := write(t, map[string]string{"dataset.yaml": `tr_seconds: 2
motion:
  s2: {a: s2/motion.txt}
stories:
  a: {audio: a.wav}
subjects:
  s1: {a: s1/a.txt}
  s2: {a: s2/a.txt}
`, "s1/a.txt": "1 2\n3 4\n", "s2/a.txt": "5\n6\n", "s2/motion.txt": ".1 .2 .3\n.4 .5 .6\n"})
	d, err := Open(dir)
	require.NoError(t, err)
	assert.True(t, d.HasMotion("s2", "a"))
	assert.False(t, d.HasMotion("s1", "a"))
	assert.False(t, d.HasMotion("s2", "b"))
	m, err := d.Motion(t.Context(), "s2", "a")
	require.NoError(t, err)
	assert.Equal(t, NewMatrix(2, 3, []float32{.1, .2, .3, .4, .5, .6}), m)
	_, err = d.Motion(t.Context(), "s1", "a")
	faulttest.Require(t, fault.Missing, err, "subject s1 has none in story a")
	files := d.paths([]string{"s2"}, []string{"a"})
	assert.Contains(t, files, filepath.Join(dir, "s2/motion.txt"), "it is an input of whoever uses it")
}

func TestMotionOfNobodyIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"motion: {s3: {a: m.txt}}": `dataset.yaml:15:10: motion/s3: there is no subject "s3"`,
		"motion: {s2: {b: m.txt}}": `dataset.yaml:15:15: motion/s2/b: s2 has no responses to story "b"`,
		"motion: [m.txt]":          "motion",
	} {
		_, err := Open(write(t, map[string]string{"dataset.yaml": good + text + "\n"}))
		faulttest.Require(t, fault.BadData, err, want)
	}
}

func TestMotionThatDoesNotFit(t *testing.T) {
	repeated := &Matrix{Repeats: 3, Rows: 30, Voxels: 2, Data: slices.Repeat(noise(30, 2).Data, 3)}
	spoilt := noise(30, 6)
	spoilt.Data[8] = float32(math.NaN())
	for name, c := range map[string]struct {
		motion *Matrix
		want   string
	}{
		"right":          {noise(30, 6), ""},
		"of each repeat": {repeated, ""},
		"short":          {noise(29, 6), "1 × 29 rows, the responses have 3 × 30; cut it as the responses were cut"},
		"transposed":     {noise(6, 30), "it looks transposed"},
		"other repeats": {&Matrix{Repeats: 2, Rows: 30, Voxels: 2, Data: slices.Repeat(noise(30, 2).Data, 2)},
			"give the motion of each repeat"},
		"not finite":        {spoilt, "TR 1, voxel 2 is NaN"},
		"a file that is no": {nil, "away"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := two(repeated, noise(45, 2))
			spec.Subjects[0].Motion = []Response{{Story: "a", Matrix: Value(c.motion)}}
			if c.motion == nil {
				spec.Subjects[0].Motion[0].Matrix = fromFile(folder{dir: t.TempDir()}, "away.txt", folder.matrix)
			}
			d := mustNew(t, spec)
			m, err := d.Motion(t.Context(), "s1", "a")
			if c.want == "" {
				require.NoError(t, err)
				assert.Equal(t, 1, m.Repeats)
				assert.InDeltaSlice(t, c.motion.repeat(0), m.Data, 1e-6)
				return
			}
			assert.ErrorContains(t, err, c.want)
		})
	}
}
