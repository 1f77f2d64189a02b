package responses

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/rowsource"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/npy"
)

// writeColumns writes a matrix as numpy.save does an array in Fortran order: the first index runs
// fastest.
func writeColumns(t testing.TB, path string, m *dataset.Matrix) {
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
func openings(t testing.TB, m *dataset.Matrix) map[string]*dataset.Responses {
	t.Helper()
	dir := t.TempDir()
	rows, columns := filepath.Join(dir, "rows.npy"), filepath.Join(dir, "columns.npy")
	require.NoError(t, npy.Write(rows, []int{m.Repeats, m.Rows, m.Voxels}, m.Data))
	writeColumns(t, columns, m)
	out := map[string]*dataset.Responses{}
	for name, r := range map[string]dataset.Response{
		"memory":    {Matrix: dataset.Value(m)},
		"rows":      {Source: file(t, rows)},
		"columns":   {Source: file(t, columns)},
		"generator": {Source: dataset.Value[dataset.Source](generator{m})},
	} {
		var err error
		out[name], err = toy(t, r).OpenResponses(t.Context(), "s", "a")
		require.NoError(t, err)
	}
	return out
}

// toy is a data set of one subject and one story.
func toy(t testing.TB, r dataset.Response) *dataset.Dataset {
	t.Helper()
	r.Story = "a"
	d, err := dataset.New(dataset.Spec{Name: "toy", TR: 2, Stories: []dataset.Story{{Name: "a"}},
		Subjects: []dataset.Subject{{Name: "s", Responses: []dataset.Response{r}}}})
	require.NoError(t, err)
	return d
}

// file opens a .npy file.
func file(t testing.TB, path string) dataset.Input[dataset.Source] {
	t.Helper()
	s, err := rowsource.Open(path)
	require.NoError(t, err)
	return dataset.Value[dataset.Source](s)
}

// readAll reads responses as a data set does.
func readAll(t testing.TB, r *dataset.Responses) (*dataset.Matrix, error) {
	t.Helper()
	return toy(t, dataset.Response{Source: dataset.Value(r.Source)}).ReadResponses(t.Context(), "s", "a")
}

// noise is a matrix of which every voxel varies about 0.
func noise(rows, voxels int) *dataset.Matrix {
	rng := rand.New(rand.NewPCG(uint64(rows), uint64(voxels)))
	m := dataset.NewMatrix(rows, voxels, make([]float32, rows*voxels))
	for i := range m.Data {
		m.Data[i] = float32(rng.NormFloat64())
	}
	return m
}

// generator is a Source that is not a matrix to the reader.
type generator struct{ m *dataset.Matrix }

func (g generator) Shape() (repeats, rows, columns int) { return g.m.Repeats, g.m.Rows, g.m.Voxels }

func (g generator) ReadRows(_ context.Context, repeat, from, to int, out []float32) error {
	for k := from; k < to; k++ {
		copy(out[(k-from)*g.m.Voxels:], g.m.Row(repeat, k))
	}
	return nil
}

func TestResponsesReadWhatAMatrixHas(t *testing.T) {
	for _, m := range []*dataset.Matrix{noise(7, 5), {Repeats: 3, Rows: 4, Voxels: 6, Data: noise(12, 6).Data},
		noise(1, 1)} {
		for name, r := range openings(t, m) {
			require.Equal(t, [3]int{m.Repeats, m.Rows, m.Voxels}, [3]int{r.Repeats, r.Rows, r.Columns}, name)
			whole, err := readAll(t, r)
			require.NoError(t, err)
			require.Equal(t, m, whole, name)
			for repeat := range m.Repeats {
				for from := 0; from <= m.Rows; from++ {
					for to := from; to <= m.Rows; to++ {
						out := make([]float32, (to-from)*m.Voxels)
						require.NoError(t, r.ReadRows(t.Context(), repeat, from, to, out))
						want := m.Data[(repeat*m.Rows+from)*m.Voxels : (repeat*m.Rows+to)*m.Voxels]
						require.Equal(t, want, out, "%s %d:%d", name, from, to)
					}
				}
			}
			survey, err := Survey(t.Context(), r)
			require.NoError(t, err)
			assert.Equal(t, constantIn(m, 0, m.Rows), survey.Constant, name)
			assert.Equal(t, rawIn(m), survey.Raw, name)
			for _, f := range []func(){
				func() { _ = r.ReadRows(t.Context(), m.Repeats, 0, 1, nil) },
				func() { _ = r.ReadRows(t.Context(), 0, -1, 1, nil) },
				func() { _ = r.ReadRows(t.Context(), 0, 0, m.Rows+1, nil) },
			} {
				assert.Panics(t, f, name)
			}
		}
	}
}

func TestSurveyFindsConstantAndRawColumns(t *testing.T) {
	m := &dataset.Matrix{Repeats: 2, Rows: 2, Voxels: 4, Data: []float32{
		1, 5, 0, 9, 1, 6, 0, 9,
		2, 5, 0, 9, 2, 8, 0, 9}}
	for name, r := range openings(t, m) {
		s, err := Survey(t.Context(), r)
		require.NoError(t, err)
		assert.Equal(t, []any{[]int{0, 2, 3}, rawIn(m), 0}, []any{s.Constant, s.Raw, s.NotFinite},
			"%s: repeats may differ and still not vary over rows", name)
		assert.InDeltaSlice(t, []float64{3, 6 / math.Sqrt(1.5)}, s.TSNR[:2], 1e-6)
		assert.True(t, math.IsNaN(s.TSNR[2]) && math.IsNaN(s.TSNR[3]), "constants have no ratio")
		assert.Equal(t, []int{1}, s.Raw, "means 1.5 and 6 with SD .5 and 1.2, and constants")
	}
	same := &dataset.Matrix{Repeats: 2, Rows: 2, Voxels: 1, Data: []float32{7, 7, 8, 8}}
	for name, r := range openings(t, same) {
		s, err := Survey(t.Context(), r)
		require.NoError(t, err)
		assert.Equal(t, rawIn(same), s.Raw, "%s: constant in each repeat, and yet of SD .5", name)
		assert.Equal(t, []int{0}, s.Raw)
	}
}

// What a pass finds is what ReadAll finds, with the same words, and the first value is the same
// whatever the order in the file.
func TestValuesThatAreNotFinite(t *testing.T) {
	m := &dataset.Matrix{Repeats: 2, Rows: 3, Voxels: 2, Data: make([]float32, 12)}
	m.Data[9], m.Data[10] = float32(math.NaN()), float32(math.Inf(-1))
	const want = "read responses: %s: repeat 1, TR 1, voxel 1 is NaN (2 of 12 values are not finite); repair"
	for name, r := range openings(t, m) {
		_, all := readAll(t, r)
		_, survey := Survey(t.Context(), r)
		s, err := Standardise([]*dataset.Responses{r}, nil, Standardisation{})
		require.NoError(t, err)
		for _, err := range []error{all, survey, s.Measure(t.Context())} {
			faulttest.Require(t, fault.BadData, err, fmt.Sprintf(want, r.Where))
			assert.Equal(t, all, err, name)
		}
		assert.Panics(t, func() { s.Constant("a") }, "it is not measured")
	}
	m = dataset.NewMatrix(3, 2, []float32{0, 0, 0, 0, float32(math.Inf(1)), 0})
	for _, r := range openings(t, m) {
		_, err := Survey(t.Context(), r)
		faulttest.Require(t, fault.BadData, err, ": TR 2, voxel 0 is +Inf (1 of 6")
	}
	m.Data[4] = float32(math.Copysign(0, -1))
	for _, r := range openings(t, m) {
		_, err := Survey(t.Context(), r)
		require.NoError(t, err, "-0 is a number")
	}
}

// allocated returns the bytes that do allocates, freed or not.
func allocated(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// counting is a Source that counts the values that are read of it.
type counting struct {
	generator
	values *atomic.Int64
	calls  *atomic.Int64
}

func (c counting) ReadRows(ctx context.Context, repeat, from, to int, out []float32) error {
	c.values.Add(int64((to - from) * c.m.Voxels))
	c.calls.Add(1)
	return c.generator.ReadRows(ctx, repeat, from, to, out)
}

// A story is read once to be measured, as a whole. Where it is first read it is measured on the way, so that a pass
// over rows reads each value once.
func TestValuesAreReadOnce(t *testing.T) {
	little(t, 4*50*20, 1<<20)
	var values, calls atomic.Int64
	const rows, columns = 90, 50
	var opened []*dataset.Responses
	for _, story := range []string{"a", "b"} {
		source := counting{generator{noise(rows, columns)}, &values, &calls}
		r, err := toy(t, dataset.Response{Source: dataset.Value[dataset.Source](source)}).OpenResponses(t.Context(),
			"s", "a")
		require.NoError(t, err)
		r.Story = story
		opened = append(opened, r)
	}
	splits := [][]design.Rows{{{Story: "a", From: 5, To: 90}, {Story: "b", From: 0, To: 60}},
		{{Story: "b", From: 60, To: 90}}}
	for _, rule := range []ZScoreRule{ZScoreStory, ZScoreNone} {
		values.Store(0)
		calls.Store(0)
		s, err := Standardise(opened, splits, Standardisation{ZScore: rule})
		require.NoError(t, err)
		require.Zero(t, calls.Load(), "a subject is opened by headers")
		first := 0
		require.NoError(t, s.Select(splits[0]...).EachRows(t.Context(), 10, 30, func(row int, y []float32) error {
			assert.Equal(t, first, row)
			first += len(y) / 20
			return nil
		}))
		assert.Equal(t, 145, first)
		assert.Equal(t, []int64{2 * rows * columns, 2}, []int64{values.Load(), calls.Load()}, "in one read a story")
		s.Varies(0)
		require.NoError(t, s.Measure(t.Context()))
		assert.EqualValues(t, 2, calls.Load(), "nothing is measured twice")
		none := func(int, []float32) error { return nil }
		require.NoError(t, s.Select(splits[0]...).EachRows(t.Context(), 10, 30, none))
		assert.Equal(t, []int64{(2*rows + 145) * columns, 2 + 5 + 3}, []int64{values.Load(), calls.Load()},
			"then the rows that are wanted, in slabs of 20")
		_, err = s.Scored(1).ReadAll(t.Context())
		require.NoError(t, err)
	}
	assert.Panics(t, func() {
		s, err := Standardise(opened, splits, Standardisation{})
		require.NoError(t, err)
		s.Varies(0)
	})
}

// Responses larger than what is held are opened in a few KB, and measured and read in slabs.
func TestLargeResponsesStayOnDisk(t *testing.T) {
	little(t, 1<<20, 1<<20)
	const rows = 400
	for name, columns := range map[string]int{"by rows": 5000, "by columns": 5000} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			large := dataset.NewMatrix(rows, columns, make([]float32, rows*columns))
			for i := range large.Data {
				large.Data[i] = float32(i * i % 10007)
			}
			if path := filepath.Join(dir, "large.npy"); name == "by rows" {
				require.NoError(t, npy.Write(path, []int{rows, columns}, large.Data))
			} else {
				writeColumns(t, path, large)
			}
			want := slices.Clone(large.Row(0, 300)[:3])

			d := toy(t, dataset.Response{Source: file(t, filepath.Join(dir, "large.npy"))})
			var r *dataset.Responses
			var s *SubjectResponses
			var err error
			assert.Less(t, allocated(func() { r, err = d.OpenResponses(t.Context(), "s", "a") }), uint64(8<<10))
			require.NoError(t, err)
			kept := columns * (8 + 8 + 8) // mean, SD, and room for which columns vary
			assert.Less(t, allocated(func() {
				s, err = Standardise([]*dataset.Responses{r}, nil, Standardisation{ZScore: ZScoreStory})
				require.NoError(t, err)
				err = s.Measure(t.Context())
			}), poolSlack*uint64(3*slabBytes+4*kept))
			require.NoError(t, err)
			out := make([]float32, 3)
			read := allocated(func() {
				err = s.Select(allRows(s, "a")).Of([]int{0, 1, 2}).ReadRows(t.Context(), 300, 301, out)
			})
			if name == "by rows" { // a row of columns is spread over the file
				assert.Less(t, read, poolSlack*uint64(3*slabBytes))
			}
			require.NoError(t, err)
			for c, x := range out {
				assert.Equal(t, s.ZScore("a").Value(c, want[c]), x)
			}
		})
	}
}
