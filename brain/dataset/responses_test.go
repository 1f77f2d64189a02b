package dataset

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/npy"
)

// writeColumns writes a matrix as numpy.save does an array in Fortran order: the first index runs
// fastest.
func writeColumns(t testing.TB, path string, m *Matrix) {
	t.Helper()
	shape := []int{m.Repeats, m.Rows, m.Voxels}
	flipped := make([]float32, len(m.Data))
	for i, x := range m.Data {
		repeat, k, c := i/(m.Rows*m.Voxels), i/m.Voxels%m.Rows, i%m.Voxels
		flipped[repeat+m.Repeats*(k+m.Rows*c)] = x
	}
	require.NoError(t, npy.Write(path, shape, flipped))
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	b = []byte(strings.Replace(string(b), "'fortran_order': False,", "'fortran_order': True, ", 1))
	require.NoError(t, os.WriteFile(path, b, 0o644))
}

// openings are the ways in which a matrix can be opened: in memory, as a file by rows and by
// columns, and as a generator.
func openings(t testing.TB, m *Matrix) map[string]*Responses {
	t.Helper()
	dir := t.TempDir()
	rows, columns := filepath.Join(dir, "rows.npy"), filepath.Join(dir, "columns.npy")
	require.NoError(t, npy.Write(rows, []int{m.Repeats, m.Rows, m.Voxels}, m.Data))
	writeColumns(t, columns, m)
	out := map[string]*Responses{}
	for name, r := range map[string]Response{
		"memory":    {Matrix: Value(m)},
		"rows":      {Source: fromFile(folder{dir}, "rows.npy", folder.source)},
		"columns":   {Source: fromFile(folder{dir}, "columns.npy", folder.source)},
		"generator": {Source: Value[Source](generator{m})},
	} {
		opened, err := r.open(t.Context(), "x")
		require.NoError(t, err)
		opened.Subject, opened.Story = "s", "a"
		out[name] = opened
	}
	return out
}

// generator is a Source that is not a matrix to the reader.
type generator struct{ *Matrix }

func TestResponsesReadWhatAMatrixHas(t *testing.T) {
	for _, m := range []*Matrix{noise(7, 5), {Repeats: 3, Rows: 4, Voxels: 6, Data: noise(12, 6).Data}, noise(1, 1)} {
		for name, r := range openings(t, m) {
			require.Equal(t, [3]int{m.Repeats, m.Rows, m.Voxels}, [3]int{r.Repeats, r.Rows, r.Columns}, name)
			whole, err := r.readAll(t.Context())
			require.NoError(t, err)
			require.Equal(t, m, whole, name)
			for repeat := range m.Repeats {
				for from := 0; from <= m.Rows; from++ {
					for to := from; to <= m.Rows; to++ {
						out := make([]float32, (to-from)*m.Voxels)
						require.NoError(t, r.ReadRows(t.Context(), repeat, from, to, out))
						require.Equal(t, m.repeat(repeat)[from*m.Voxels:to*m.Voxels], out, "%s %d:%d", name, from, to)
					}
				}
				for from := 0; from <= m.Voxels; from++ {
					for to := from; to <= m.Voxels; to++ {
						out := make([]float32, (to-from)*m.Rows)
						require.NoError(t, r.readColumns(t.Context(), repeat, from, to, out))
						for i, x := range out {
							require.Equal(t, m.Row(repeat, i%m.Rows)[from+i/m.Rows], x, "%s %d:%d", name, from, to)
						}
					}
				}
			}
			survey, err := r.survey(t.Context())
			require.NoError(t, err)
			assert.Equal(t, m.Constant(0, m.Rows), survey.Constant, name)
			assert.Equal(t, m.Raw(), survey.Raw, name)
			for _, f := range []func(){
				func() { _ = r.ReadRows(t.Context(), m.Repeats, 0, 1, nil) },
				func() { _ = r.ReadRows(t.Context(), 0, -1, 1, nil) },
				func() { _ = r.ReadRows(t.Context(), 0, 0, m.Rows+1, nil) },
				func() { _ = r.readColumns(t.Context(), 0, 1, 0, nil) },
			} {
				assert.Panics(t, f, name)
			}
		}
	}
}

func TestSurveyFindsConstantAndRawColumns(t *testing.T) {
	m := &Matrix{Repeats: 2, Rows: 2, Voxels: 4, Data: []float32{
		1, 5, 0, 9, 1, 6, 0, 9,
		2, 5, 0, 9, 2, 8, 0, 9}}
	for name, r := range openings(t, m) {
		s, err := r.survey(t.Context())
		require.NoError(t, err)
		assert.Equal(t, surveyResult{Constant: []int{0, 2, 3}, Raw: m.Raw()}, s,
			"%s: repeats may differ and still not vary over rows", name)
		assert.Equal(t, []int{1}, s.Raw, "means 1.5 and 6 with SD .5 and 1.2, and constants")
	}
	same := &Matrix{Repeats: 2, Rows: 2, Voxels: 1, Data: []float32{7, 7, 8, 8}}
	for name, r := range openings(t, same) {
		s, err := r.survey(t.Context())
		require.NoError(t, err)
		assert.Equal(t, same.Raw(), s.Raw, "%s: constant in each repeat, and yet of SD .5", name)
		assert.Equal(t, []int{0}, s.Raw)
	}
}

// What a pass finds is what ReadAll finds, with the same words, and the first value is the same
// whatever the order in the file.
func TestValuesThatAreNotFinite(t *testing.T) {
	m := &Matrix{Repeats: 2, Rows: 3, Voxels: 2, Data: make([]float32, 12)}
	m.Data[9], m.Data[10] = float32(math.NaN()), float32(math.Inf(-1))
	const want = "read responses: %s: repeat 1, TR 1, voxel 1 is NaN (2 of 12 values are not finite); repair"
	for name, r := range openings(t, m) {
		_, all := r.readAll(t.Context())
		_, survey := r.survey(t.Context())
		s, err := Standardise([]*Responses{r}, nil, Standardisation{})
		require.NoError(t, err)
		for _, err := range []error{all, survey, s.Measure(t.Context())} {
			faulttest.Require(t, fault.BadData, err, fmt.Sprintf(want, r.where))
			assert.Equal(t, all, err, name)
		}
		assert.Panics(t, func() { s.Constant("a") }, "it is not measured")
	}
	m = NewMatrix(3, 2, []float32{0, 0, 0, 0, float32(math.Inf(1)), 0})
	for _, r := range openings(t, m) {
		_, err := r.survey(t.Context())
		faulttest.Require(t, fault.BadData, err, ": TR 2, voxel 0 is +Inf (1 of 6")
	}
	m.Data[4] = float32(math.Copysign(0, -1))
	for _, r := range openings(t, m) {
		_, err := r.survey(t.Context())
		require.NoError(t, err, "-0 is a number")
	}
}

func TestTheFirstValueThatIsNotFiniteIsNamed(t *testing.T) {
	var n notFinite
	for _, at := range []int{5, 3, 9} {
		n.add(at, float32(math.Inf(at-4)))
	}
	err := n.err(NewMatrix(3, 4, make([]float32, 12)), "x")
	faulttest.Require(t, fault.BadData, err, "TR 0, voxel 3 is -Inf (3 of 12 values")
}

func TestOpeningAFileChecksItsHeader(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	open := func(name string) (*Responses, error) {
		return Response{Source: fromFile(folder{dir}, name, folder.source)}.open(t.Context(), "subject s, story a")
	}
	require.NoError(t, npy.Write(path("i.npy"), []int{2, 2}, []int32{1, 2, 3, 4}))
	r, err := open("i.npy")
	require.NoError(t, err)
	assert.Equal(t, "int32", r.Stored)
	m, err := r.readAll(t.Context())
	require.NoError(t, err)
	assert.Equal(t, &Matrix{Repeats: 1, Rows: 2, Voxels: 2, Data: []float32{1, 2, 3, 4}, Stored: "int32"}, m)

	require.NoError(t, npy.Write(path("one.npy"), []int{4}, []float32{1, 2, 3, 4}))
	require.NoError(t, npy.Write(path("bool.npy"), []int{1, 2}, []bool{true, false}))
	require.NoError(t, npy.Write(path("empty.npy"), []int{0, 2}, []float32{}))
	require.NoError(t, npy.Write(path("wide.npy"), []int{1, 2}, []float64{1, 1e300}))
	b, err := os.ReadFile(path("i.npy"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path("short.npy"), b[:len(b)-1], 0o644))
	for name, want := range map[string]string{
		"one.npy": "shape [4]", "bool.npy": "booleans",
		"empty.npy": "the matrix is empty: 1 repeats of 0 TRs × 2 voxels",
		"short.npy": "needs 16 bytes, the file has 15",
	} {
		_, err := open(name)
		faulttest.Require(t, fault.BadData, err, want)
	}
	_, err = open("none.npy")
	faulttest.Require(t, fault.Missing, err, "none.npy")

	r, err = open("wide.npy")
	require.NoError(t, err, "values are not looked at")
	_, err = r.readAll(t.Context())
	faulttest.Require(t, fault.BadData, err, "element 1, 1e+300, is too large for a 32-bit float")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = r.survey(ctx)
	require.ErrorIs(t, err, context.Canceled)
}

// allocated returns the bytes that do allocates, freed or not.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Responses of 160 MB are opened in a few KB, and measured and read in slabs.
func TestLargeResponsesStayOnDisk(t *testing.T) {
	const rows = 2000
	for name, columns := range map[string]int{"by rows": 20000, "by columns": 3000} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			large := NewMatrix(rows, columns, make([]float32, rows*columns))
			for i := range large.Data {
				large.Data[i] = float32(i * i % 10007)
			}
			if path := filepath.Join(dir, "large.npy"); name == "by rows" {
				require.NoError(t, npy.Write(path, []int{rows, columns}, large.Data))
			} else {
				writeColumns(t, path, large)
			}
			want := slices.Clone(large.Row(0, 1000)[:3])

			spec := subjects([]string{"s1"}, nil)
			spec.Subjects[0].Responses[0] = Response{Story: "a",
				Source: fromFile(folder{dir}, "large.npy", folder.source)}
			d := mustNew(t, spec)
			var r *Responses
			var s *SubjectResponses
			var err error
			assert.Less(t, allocated(func() { r, err = d.OpenResponses(t.Context(), "s1", "a") }), uint64(8<<10))
			require.NoError(t, err)
			kept := columns * (8 + 8 + 8) // mean, SD, and room for which columns vary
			assert.Less(t, allocated(func() {
				s, err = Standardise([]*Responses{r}, nil, Standardisation{ZScore: ZScoreStory})
				require.NoError(t, err)
				err = s.Measure(t.Context())
			}), poolSlack*uint64(slabBytes+4<<20+4*kept))
			require.NoError(t, err)
			out := make([]float32, 3)
			assert.Less(t, allocated(func() {
				err = s.Select(allRows(s, "a")).ReadRows(t.Context(), 1000, 1001, []int{0, 1, 2}, out)
			}), poolSlack*uint64(slabBytes+4<<20))
			require.NoError(t, err)
			for c, x := range out {
				assert.Equal(t, s.ZScore("a").Value(c, want[c]), x)
			}
		})
	}
}
