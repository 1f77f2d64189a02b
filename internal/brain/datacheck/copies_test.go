package datacheck

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/npy"
)

// made are responses (repeats, 40, voxels), noise of a seed.
func made(seed uint64, repeats, voxels int) []float32 {
	r, out := rand.New(rand.NewPCG(seed, 5)), make([]float32, repeats*40*voxels)
	for i := range out {
		out[i] = float32(r.NormFloat64())
	}
	return out
}

// changed applies a function of row, column and value to (40, voxels).
func changed(x []float32, voxels int, change func(k, c int, v float64) float64) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(change(i/voxels%40, i%voxels, float64(v)))
	}
	return out
}

func TestResponsesListedUnderTwoNamesAreFound(t *testing.T) {
	const v = 30
	own, scaled := made(1, 1, v), changed(made(1, 1, v), v, func(_, c int, x float64) float64 {
		return 100 + float64(c%7) + (1+.1*float64(c))*x
	})
	oneCourse := func(subject float64) []float32 { // no noise: each voxel follows one signal
		return changed(made(9, 1, v), v, func(k, c int, _ float64) float64 {
			return math.Sin(float64(k)*1.7) * math.Cos(subject+float64(c))
		})
	}
	few := func(x []float32) []float32 {
		return changed(x, v, func(_, _ int, x float64) float64 { return math.Round(2*math.Tanh(x)) / 2 })
	}
	type matrix struct {
		subject, story string
		repeats        int
		values         []float32
	}
	for name, c := range map[string]struct {
		matrices []matrix
		piece    bool   // story b is a piece of a
		want     string // part of the error
	}{
		"four matrices": {matrices: []matrix{{"s", "a", 1, own}, {"s", "b", 1, made(2, 1, v)}, {"t", "a", 1,
			made(3, 1, v)}, {"t", "b", 1, made(4, 1, v)}}},
		"two subjects": {matrices: []matrix{{"s", "a", 1, own}, {"t", "a", 1, own}},
			want: "subject t, story a: has the same values as subject s, story a"},
		"two stories": {matrices: []matrix{{"s", "a", 1, own}, {"s", "b", 1, own}},
			want: "subject s, story b: has the same values as subject s, story a"},
		"another subject and story": {matrices: []matrix{{"s", "a", 1, own}, {"t", "b", 1, own}},
			want: "subject t, story b: has the same values as subject s, story a"},
		"in other units": {matrices: []matrix{{"s", "a", 1, own}, {"t", "a", 1, scaled}},
			want: "has the same values in other units as subject s, story a"},
		"two repeats": {matrices: []matrix{{"s", "a", 3, append(made(5, 2, v), made(5, 1, v)...)}},
			want: "repeats 0 and 2 have the same values: a noise ceiling"},
		"three repeats": {matrices: []matrix{{"s", "a", 3, made(5, 3, v)}}},
		"a little noise": {matrices: []matrix{{"s", "a", 1, own}, {"t", "a", 1,
			changed(own, v, func(k, c int, x float64) float64 { return x + .05*math.Sin(float64(31*k+7*c)) })}}},
		"simulated, one signal": {matrices: []matrix{{"s", "a", 1, oneCourse(0)}, {"t", "a", 1, oneCourse(1)}}},
		"a piece of the other":  {matrices: []matrix{{"s", "a", 1, own}, {"s", "b", 1, own}}, piece: true},
		"a piece, of another subject": {matrices: []matrix{{"s", "a", 1, own}, {"t", "b", 1, own}}, piece: true,
			want: "has the same values as"},
		"few values, which says little": {matrices: []matrix{{"s", "a", 1, few(own)}, {"t", "a", 1, few(own)}}},
		"all zero": {matrices: []matrix{{"s", "a", 1, make([]float32, 40*v)}, {"t", "a", 1,
			make([]float32, 40*v)}}},
	} {
		spec := dataset.Spec{Name: "made", TR: 2, RowTime: .5, Stories: []dataset.Story{{Name: "a"}, {Name: "b"}}}
		if c.piece {
			spec.Stories[1].SameAs = &dataset.SameAs{Story: "a"}
		}
		for _, m := range c.matrices {
			i := len(spec.Subjects) - 1
			if i < 0 || spec.Subjects[i].Name != m.subject {
				spec.Subjects = append(spec.Subjects, dataset.Subject{Name: m.subject})
				i++
			}
			spec.Subjects[i].Responses = append(spec.Subjects[i].Responses, dataset.Response{Story: m.story,
				Matrix: dataset.Value(&dataset.Matrix{Repeats: m.repeats, Rows: 40, Voxels: v, Data: m.values})})
		}
		d, err := dataset.New(spec)
		require.NoError(t, err, name)
		found, err := CheckCopies(t.Context(), d, []string{"s", "t"}[:len(spec.Subjects)], []string{"a", "b"})
		require.NoError(t, err, name)
		if c.want == "" {
			assert.Empty(t, found, name)
			continue
		}
		require.Len(t, found, 1, name)
		faulttest.Require(t, fault.BadData, found[0], c.want)
	}
}

// Files in the order of C and of Fortran, of one type and another, are one matrix.
func TestACopyInAnotherOrderOrTypeIsFound(t *testing.T) {
	dir, x := t.TempDir(), made(1, 1, 70)
	turned, wide := make([]float32, len(x)), make([]float64, len(x))
	for i, v := range x {
		turned[i%70*40+i/70], wide[i] = v, float64(v)
	}
	require.NoError(t, npy.Write(filepath.Join(dir, "s.npy"), []int{40, 70}, x))
	require.NoError(t, npy.Write(filepath.Join(dir, "t.npy"), []int{40, 70}, wide))
	u := filepath.Join(dir, "u.npy")
	require.NoError(t, npy.Write(u, []int{70, 40}, turned))
	text, err := os.ReadFile(u)
	require.NoError(t, err)
	text = bytes.Replace(text, []byte("'fortran_order': False, 'shape': (70, 40)"),
		[]byte("'fortran_order': True , 'shape': (40, 70)"), 1)
	require.NoError(t, os.WriteFile(u, text, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "dataset.yaml"), []byte("tr_seconds: 2\nstories: {a: {}}\n"+
		"subjects: {s: {a: s.npy}, t: {a: t.npy}, u: {a: u.npy}}\n"), 0o600))
	d, err := dataset.Open(dir)
	require.NoError(t, err)
	found, err := CheckCopies(t.Context(), d, []string{"s", "t", "u"}, []string{"a"})
	require.NoError(t, err)
	require.Len(t, found, 2)
	faulttest.Require(t, fault.BadData, found[0], "subject t, story a: has the same values as")
	faulttest.Require(t, fault.BadData, found[1], "subject u, story a: has the same values as")
}
