package hdf5

import (
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// checkLayouts compares the arrays that h5py wrote into a folder (testdata/layouts.py) with what NumPy wrote
// beside them: whole, and by random rows and columns.
func checkLayouts(t *testing.T, dir string) int {
	paths, err := filepath.Glob(filepath.Join(dir, "*.h5"))
	require.NoError(t, err)
	random := rand.New(rand.NewPCG(1, 2))
	for _, path := range paths {
		shape, want := numpyArray(t, strings.TrimSuffix(path, ".h5")+".npy")
		f, err := Open(path)
		require.NoError(t, err)
		d, err := f.Dataset("data")
		require.NoError(t, err, path)
		require.Equal(t, shape, d.Shape, path)
		got := make([]float64, len(want))
		require.NoError(t, d.ReadRows64(0, d.Rows(), got), path)
		equal(t, want, got, path)
		for range 8 {
			checkBlock(t, d, want, random, path)
		}
		require.NoError(t, f.Close())
	}
	return len(paths)
}

// equal compares long arrays; NaN equals NaN.
func equal(t testing.TB, want, got []float64, path string) {
	t.Helper()
	require.Len(t, got, len(want), path)
	for i, x := range got {
		require.True(t, x == want[i] || x != x && want[i] != want[i], "%s: number %d is %v, want %v", path, i, x,
			want[i])
	}
}

// checkBlock compares a random block of an array.
func checkBlock(t *testing.T, d *Dataset, want []float64, random *rand.Rand, path string) {
	span := func(n int) Span {
		from := random.IntN(n + 1)
		return Span{from, from + random.IntN(n-from+1)}
	}
	rows, columns := span(d.Rows()), span(d.Columns())
	got := make([]float32, rows.len()*columns.len())
	require.NoError(t, d.ReadBlock(rows, columns, got), path)
	i := 0
	for row := rows.From; row < rows.To; row++ {
		for column := columns.From; column < columns.To; column++ {
			require.Equal(t, float32(want[row*d.Columns()+column]), got[i], "%s: %d, %d of %v %v", path, row, column,
				rows, columns)
			i++
		}
	}
	if rows.len() > 0 {
		whole := make([]float64, rows.len()*d.Columns())
		require.NoError(t, d.ReadRows64(rows.From, rows.To, whole), path)
		equal(t, want[rows.From*d.Columns():rows.To*d.Columns()], whole, path)
	}
}

func TestLayoutsOfH5pyAreReadAsNumPyReadsThem(t *testing.T) {
	assert.Equal(t, 19, checkLayouts(t, "testdata/small"))
}

func TestContiguousArraysCanBeMapped(t *testing.T) {
	for path, want := range map[string]int64{"contiguous_earliest_none.h5": 2048, "edges_latest_sum.h5": -1} {
		d := dataset(t, opened(t, "testdata/small/"+path), "data")
		offset, ok := d.InPlace()
		assert.Equal(t, want >= 0, ok, path)
		if ok {
			assert.Equal(t, want, offset)
		}
	}
}

func TestRowsOfChunks(t *testing.T) {
	for path, want := range map[string]int{"contiguous_earliest_none.h5": 1, "edges_latest_sum.h5": 5,
		"rank3_v108_gzip.h5": 24, "columns3_latest_none.h5": 3, "onechunk_latest_gzip.h5": 12} {
		assert.Equal(t, want, dataset(t, opened(t, "testdata/small/"+path), "data").ChunkRows(), path)
	}
}

func TestGroupsAndAttributes(t *testing.T) {
	for _, version := range []string{"earliest", "latest"} {
		f := opened(t, "testdata/small/group12_"+version+".h5")
		datasets, links, err := f.List()
		require.NoError(t, err)
		require.Empty(t, links)
		require.Len(t, datasets, 13)
		assert.Equal(t, "data", datasets[0].Name)
		assert.Equal(t, "nested/stories/a_rather_long_name_of_a_story_0011", datasets[12].Name)
		assert.Equal(t, all(t, datasets[1]), all(t, datasets[12]))
		d := datasets[0]
		for name, want := range map[string]Attribute{
			"units":        {Name: "units", Texts: []string{"percent"}},
			"MATLAB_class": {Name: "MATLAB_class", Texts: []string{"double"}},
			"attribute19":  {Name: "attribute19", Numbers: []float64{19}},
		} {
			got, ok, err := d.Attribute(name)
			require.NoError(t, err)
			assert.True(t, ok, "%s: %s", version, name)
			assert.Equal(t, want, got, version)
		}
	}
}
