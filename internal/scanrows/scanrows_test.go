package scanrows

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/bidsdata"
	"github.com/brainwavlm/bwlm/internal/cifti"
	"github.com/brainwavlm/bwlm/internal/clean"
	"github.com/brainwavlm/bwlm/internal/cortex"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/labtest"
	"github.com/brainwavlm/bwlm/internal/nifti"
)

// scans are the scans of a laboratory's tree.
func scans(t testing.TB, o bidsdata.Options) []bidsdata.Scan {
	t.Helper()
	tree, err := bidsdata.Open(filepath.Join(labtest.Dir(t), "bids"))
	require.NoError(t, err)
	out, err := tree.Scans(o)
	require.NoError(t, err)
	return out
}

// all reads rows of a scan.
func all(t testing.TB, s *Scan, from, to int) (out [][]float32) {
	t.Helper()
	require.NoError(t, s.Each(t.Context(), from, to, func(row int, values []float32) error {
		require.Equal(t, len(out), row)
		out = append(out, append([]float32{}, values...))
		return nil
	}))
	return out
}

// cleaned is what package clean makes of a whole matrix, one row after another.
func cleaned(t testing.TB, d *clean.Design, rows [][]float32) [][]float64 {
	t.Helper()
	c := d.Cleaner(len(rows[0]))
	for row, values := range rows {
		require.NoError(t, c.Learn(row, values))
	}
	out := make([][]float64, len(rows))
	for row, values := range rows {
		dst := make([]float64, len(values))
		kept, err := c.Apply(row, values, dst)
		require.NoError(t, err)
		if kept {
			out[row] = dst
		}
	}
	return out
}

func TestVolumesInAMaskAreThoseOfTheWholeImage(t *testing.T) {
	s := scans(t, bidsdata.Options{Kind: bidsdata.Volumes, Tasks: []string{"tunnel"}})[0]
	columns, err := Find(t.Context(), []bidsdata.Scan{s}, false)
	require.NoError(t, err)
	im, err := nifti.Read(s.Files[0])
	require.NoError(t, err)
	mask, err := nifti.Read(s.Mask)
	require.NoError(t, err)
	in, values := mask.Float32(), im.Float32()
	var want [][]float32
	for row := range s.Rows {
		var line []float32
		for x := range im.Dim[0] {
			for y := range im.Dim[1] {
				for z := range im.Dim[2] {
					if v := x + im.Dim[0]*(y+im.Dim[1]*z); in[v] != 0 {
						line = append(line, values[row*len(in)+v])
					}
				}
			}
		}
		want = append(want, line)
	}
	assert.Equal(t, fmt.Sprintf("%d voxels of the brain mask", len(want[0])), columns.How)
	open, err := Open(s, columns, clean.Recipe{})
	require.NoError(t, err)
	require.Equal(t, want, all(t, open, 0, s.Rows))
	require.Equal(t, want[3:9], all(t, open, 3, 9), "rows of a story")

	// Cleaned before it is cut, as package clean cleans the whole matrix.
	recipe := clean.Recipe{HighPass: .05, Motion: 6, CompCor: 1, Censor: 1}
	table, err := clean.Read(s.Confounds)
	require.NoError(t, err)
	d, err := recipe.Design(s.Rows, s.TR, table)
	require.NoError(t, err)
	exact := cleaned(t, d, want)
	open, err = Open(s, columns, recipe)
	require.NoError(t, err)
	assert.Equal(t, []int{d.Removed(), s.Rows - d.Kept()}, []int{open.Removed, open.Censored})
	require.Positive(t, open.Censored)
	for _, part := range [][2]int{{0, s.Rows}, {5, 12}} {
		for i, line := range all(t, open, part[0], part[1]) {
			row := part[0] + i
			if exact[row] == nil {
				continue // of TestCensoredRows
			}
			for c, v := range line {
				require.InDelta(t, exact[row][c], v, 1e-6*math.Max(1, math.Abs(exact[row][c])), "row %d", row)
			}
		}
	}
}

func TestSurfacesAndCIFTI(t *testing.T) {
	s := scans(t, bidsdata.Options{Kind: bidsdata.Surface, Vertices: 12, Desc: "clean"})[0]
	columns, err := Find(t.Context(), []bidsdata.Scan{s}, false)
	require.NoError(t, err)
	assert.Equal(t, []int{24, 24, 23}, []int{columns.Count, columns.Surface, columns.Vertices[23]})
	s.Confounds = ""
	open, err := Open(s, columns, clean.Recipe{Polort: 2, Detrend: true})
	require.NoError(t, err)
	for _, line := range all(t, open, 0, 20) {
		for c, v := range line {
			require.Equal(t, c%12 >= 10, v != v, "the medial wall is NaN, before and after")
		}
	}
	_, err = Open(s, columns, clean.Recipe{Motion: 6})
	faulttest.Require(t, fault.Missing, err, "there is no table desc-confounds_timeseries.tsv beside it, for motion=6")

	file := filepath.Join(labtest.Dir(t), "bids/derivatives/cifti/sub-01_task-RDR_run-1_bold.dtseries.nii")
	dense := bidsdata.Scan{Form: bidsdata.Form{Kind: bidsdata.Dense}, Files: []string{file}, Rows: 20, Columns: 34,
		ToRow: 20}
	whole, err := Find(t.Context(), []bidsdata.Scan{dense}, false)
	require.NoError(t, err)
	require.Equal(t, 34, whole.Count)
	assert.Nil(t, whole.Vertices, "some are voxels")
	cortical, err := Find(t.Context(), []bidsdata.Scan{dense}, true)
	require.NoError(t, err)
	require.Less(t, cortical.Count, 34)
	require.Equal(t, cortical.Count, len(cortical.Vertices))
	series, err := cifti.OpenSeries(file)
	require.NoError(t, err)
	for _, part := range series.Structures {
		for i, v := range part.Vertices {
			want := int(v)
			if part.Name == cifti.Right {
				want += part.Surface // the left one has as many
			}
			require.Contains(t, cortical.Places, part.First+i)
			require.Equal(t, want, cortical.Vertices[slices.Index(cortical.Places, part.First+i)])
		}
	}
	one, err := Open(dense, whole, clean.Recipe{})
	require.NoError(t, err)
	two, err := Open(dense, cortical, clean.Recipe{})
	require.NoError(t, err)
	a, b := all(t, one, 0, 20), all(t, two, 0, 20)
	for row := range a {
		for c, place := range cortical.Places {
			require.Equal(t, a[row][place], b[row][c])
		}
	}
}

// image writes an image of volumes, or one of three dimensions, and returns its path.
func image(t testing.TB, name string, dim []int, affine float64, values []float32) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	var b bytes.Buffer
	_, err := nifti.NewFloat(dim, [3][4]float64{{affine}, {0, 2}, {0, 0, 2}}, values).WriteTo(&b)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, b.Bytes(), 0o600))
	return path
}

// volumes is a scan of 2 × 2 × 1 voxels whose values are given row by row.
func volumes(t testing.TB, affine float64, values ...float32) bidsdata.Scan {
	t.Helper()
	rows := len(values) / 4
	return bidsdata.Scan{Form: bidsdata.Form{Kind: bidsdata.Volumes}, TR: 2, Rows: rows, Columns: 4, ToRow: rows,
		Files: []string{image(t, "bold.nii", []int{2, 2, 1, rows}, affine, values)}}
}

func TestMasksOfRunsAreIntersected(t *testing.T) {
	a, b := volumes(t, 2, 1, 2, 3, 4, 5, 6, 7, 8), volumes(t, 2, 9, 8, 7, 6, 5, 4, 3, 2)
	a.Mask = image(t, "a.nii", []int{2, 2, 1}, 2, []float32{1, 1, 1, 0})
	b.Mask = image(t, "b.nii", []int{2, 2, 1}, 2, []float32{0, 1, 1, 1})
	columns, err := Find(t.Context(), []bidsdata.Scan{a, b}, false)
	require.NoError(t, err)
	assert.Equal(t, "2 voxels that the brain masks of 2 scans have in common; 2 more are in some of them", columns.How)
	open, err := Open(a, columns, clean.Recipe{})
	require.NoError(t, err)
	assert.Equal(t, [][]float32{{3, 2}, {7, 6}}, all(t, open, 0, 2), "y runs faster than x")

	b.Mask = image(t, "b.nii", []int{2, 2, 1}, 3, []float32{0, 1, 1, 1})
	_, err = Find(t.Context(), []bidsdata.Scan{a, b}, false)
	faulttest.Require(t, fault.BadData, err, "affine[0][0] is 3, the mask's is 2")
	b.Mask = image(t, "b.nii", []int{2, 1, 1}, 2, []float32{0, 1})
	_, err = Find(t.Context(), []bidsdata.Scan{a, b}, false)
	faulttest.Require(t, fault.BadData, err, "shape [2 1 1], the mask's is [2 2 1]")
	c := volumes(t, 2.5, 1, 2, 3, 4)
	_, err = Find(t.Context(), []bidsdata.Scan{a, c}, false)
	faulttest.Require(t, fault.BadData, err, "affine[0][0] is 2.5, the mask's is 2: its voxels are elsewhere")
	b.Columns = 5
	_, err = Find(t.Context(), []bidsdata.Scan{a, b}, false)
	faulttest.Require(t, fault.BadData, err, "it has 5 columns")
}

func TestWithoutMasksTheVoxelsThatVary(t *testing.T) {
	nan := float32(math.NaN())
	a, b := volumes(t, 2, 1, 2, 0, nan, 1, 3, 1, nan), volumes(t, 2, 0, 8, 0, 1, 1, 9, 1, 0)
	columns, err := Find(t.Context(), []bidsdata.Scan{a, b}, false)
	require.NoError(t, err)
	assert.Equal(t, []int{2, 1}, columns.Volume.Voxels)
	assert.Equal(t, "there is no brain mask: 2 voxels, of 4, that vary in all 2 scans", columns.How)
	_, err = Find(t.Context(), []bidsdata.Scan{volumes(t, 2, 1, 1, 1, 1, 1, 1, 1, 1)}, false)
	faulttest.Require(t, fault.BadData, err, "no voxel varies")
}

func TestCensoredRows(t *testing.T) {
	s := volumes(t, 2, 0, 0, 0, 0, 1, 9, 1, 1, 2, 50, 2, 2, 3, 60, 3, 3, 4, 0, 4, 4, 5, 3, 9, 9)
	s.Confounds = filepath.Join(t.TempDir(), "confounds.tsv")
	require.NoError(t, os.WriteFile(s.Confounds, []byte("framewise_displacement\n9\n0\n.7\n.7\n0\n.7\n"), 0o600))
	columns := &Columns{Count: 4, Volume: &cortex.Volume{Dim: [3]int{2, 2, 1}, Voxels: []int{0, 1, 2, 3}}}
	open, err := Open(s, columns, clean.Recipe{Censor: .5})
	require.NoError(t, err)
	assert.Equal(t, 4, open.Censored, "n/a counts as 0, 9 does not")
	got := all(t, open, 0, 6)
	for row, want := range []float32{9, 9, 6, 3, 0, 0} {
		assert.InDelta(t, want, got[row][1], 1e-6, "row %d", row)
	}
	open.Forget()
	require.Equal(t, got[2:4], all(t, open, 2, 4))
}

func TestWhatIsRefused(t *testing.T) {
	nan := float32(math.NaN())
	s := volumes(t, 2, 0, 0, 0, 0, 1, nan, 1, 1, 2, 50, 2, 2)
	columns := &Columns{Count: 4, Volume: &cortex.Volume{Dim: [3]int{2, 2, 1}, Voxels: []int{0, 1, 2, 3}}}
	for _, recipe := range []clean.Recipe{{}, {Polort: 1}} {
		open, err := Open(s, columns, recipe)
		require.NoError(t, err)
		err = open.Each(t.Context(), 0, 1, func(int, []float32) error { return nil })
		faulttest.Require(t, fault.BadData, err, "column 1 is not finite in row 1 and in 1 of 3 rows")
		err = open.Each(t.Context(), 2, 4, nil)
		faulttest.Require(t, fault.BadData, err, "rows 2 to 4 are not among its 3")
	}
	_, err := Open(s, &Columns{Count: 1 << 26}, clean.Recipe{Polort: 1})
	faulttest.Require(t, fault.Memory, err, "needs 512 MB, 256 MB are allowed")
	_, err = Open(s, columns, clean.Recipe{Polort: 2})
	faulttest.Require(t, fault.BadData, err, "leave nothing of 3 rows")
	require.ErrorContains(t, err, "bold.nii")
}

// A scan of 24 MB is cleaned in the memory of its weights and of some rows.
func TestMemoryIsThatOfTheWeights(t *testing.T) {
	const side, rows = 40, 96 // 64,000 voxels
	values := make([]float32, side*side*side*rows)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range values {
		values[i] = r.Float32()
	}
	s := bidsdata.Scan{Form: bidsdata.Form{Kind: bidsdata.Volumes}, TR: 2, Rows: rows, Columns: side * side * side,
		Files: []string{image(t, "bold.nii", []int{side, side, side, rows}, 2, values)}}
	values = nil
	columns, err := Find(t.Context(), []bidsdata.Scan{s}, false)
	require.NoError(t, err)
	open, err := Open(s, columns, clean.Recipe{Polort: 3})
	require.NoError(t, err)
	heap := func() float64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc) / 1e6
	}
	before, most := heap(), 0.0
	require.NoError(t, open.Each(t.Context(), 0, rows, func(row int, _ []float32) error {
		if row%16 == 0 {
			most = max(most, heap())
		}
		return nil
	}))
	weights := float64(open.Removed*columns.Count*8) / 1e6
	t.Logf("%.1f MB above, of which weights %.1f, for a scan of %d MB", most-before, weights,
		side*side*side*rows*4/1000000)
	assert.Less(t, most-before, weights+8)
}

func TestConfoundsOfAnotherRunAreRefused(t *testing.T) {
	s := volumes(t, 2, 0, 0, 0, 0, 1, 9, 1, 1)
	s.Confounds = filepath.Join(t.TempDir(), "confounds.tsv")
	require.NoError(t, os.WriteFile(s.Confounds, []byte("framewise_displacement\n"+strings.Repeat("0\n", 3)), 0o600))
	_, err := Open(s, &Columns{Count: 4}, clean.Recipe{Censor: .5})
	faulttest.Require(t, fault.BadData, err, "there are 3 rows, the run has 2")
}
