package nifti

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/fuzztest"
)

// places turns voxel indices into places in a volume.
func places(grid [3]int, ijk [][3]int) []int {
	out := make([]int, len(ijk))
	for c, v := range ijk {
		out[c] = v[0] + grid[0]*(v[1]+grid[1]*v[2])
	}
	return out
}

// Types, byte orders, versions, pairs, scaling and both orders of a mask's voxels give what nibabel reads.
func TestSeriesAreThoseOfNibabel(t *testing.T) {
	var want struct {
		MaskZ [][3]int `json:"mask_z"`
		MaskX [][3]int `json:"mask_x"`
		Files map[string]struct {
			Step float64
			Unit string
			Rows [][]*float32
		}
	}
	text, err := os.ReadFile("testdata/series.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &want))
	require.Len(t, want.Files, 6)
	grid := [3]int{3, 2, 4}
	column := map[[3]int]int{}
	for c, v := range want.MaskZ {
		column[v] = c
	}
	require.NotEqual(t, want.MaskZ, want.MaskX, "one order for both would show nothing")
	for name, w := range want.Files {
		for _, mask := range [][][3]int{want.MaskZ, want.MaskX} {
			s, err := OpenSeries("testdata/"+name, places(grid, mask))
			require.NoError(t, err, name)
			assert.Equal(t, grid, s.Grid, name)
			assert.Equal(t, len(w.Rows), s.Volumes, name)
			assert.InDelta(t, w.Step, s.Clock.Step, 1e-6, name)
			if w.Unit == "unknown" {
				w.Unit = ""
			}
			assert.Equal(t, w.Unit, s.Clock.Unit, name)
			rows := 0
			require.NoError(t, s.Each(func(row int, values []float32) error {
				rows++
				for c, v := range mask {
					wanted := w.Rows[row][column[v]]
					if wanted == nil {
						require.True(t, math.IsNaN(float64(values[c])), "%s: row %d, column %d", name, row, c)
						continue
					}
					require.InDelta(t, *wanted, values[c], 1e-6*800, "%s: row %d, column %d", name, row, c)
				}
				return nil
			}), name)
			assert.Equal(t, len(w.Rows), rows, name)
			require.NoError(t, s.Close())
		}
	}
}

func TestTheUnitSaysWhatAStepIs(t *testing.T) {
	for _, c := range []struct {
		clock Clock
		want  float64
		ok    bool
	}{
		{Clock{Step: 1.5, Unit: "sec"}, 1.5, true},
		{Clock{Step: 1500, Unit: "msec"}, 1.5, true},
		{Clock{Step: 1500000, Unit: "usec"}, 1.5, true},
		{Clock{Step: 2000, Unit: "sec"}, 2000, true},
		{Clock{Step: .71}, .71, true},
		{Clock{Step: 0, Unit: "sec"}, 0, false},
		{Clock{Step: -1, Unit: "sec"}, 0, false},
		{Clock{Step: math.NaN(), Unit: "sec"}, 0, false},
		{Clock{Step: math.Inf(1)}, 0, false},
		{Clock{Step: 1.5, Unit: "unit 32"}, 0, false},
	} {
		got, ok := c.clock.TR()
		assert.InDelta(t, c.want, got, 1e-12, c.clock)
		assert.Equal(t, c.ok, ok, c.clock)
	}
}

// moving is a file of volumes of n uint8 along x.
func moving(n, volumes int) []byte {
	b := good(dims(4, n, 1, 1, volumes))
	b = b[:352]
	for i := range n * volumes {
		b = append(b, byte(i))
	}
	return b
}

func file(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, data, 0o600))
	return path
}

func TestColumnsAreTheVoxelsInTheirOrder(t *testing.T) {
	path := file(t, "x.nii", moving(4, 3))
	for name, c := range map[string]struct {
		voxels []int
		want   [][]float32
	}{
		"all":      {nil, [][]float32{{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9, 10, 11}}},
		"turned":   {[]int{3, 0, 2}, [][]float32{{3, 0, 2}, {7, 4, 6}, {11, 8, 10}}},
		"no voxel": {[]int{}, [][]float32{{}, {}, {}}},
	} {
		s, err := OpenSeries(path, c.voxels)
		require.NoError(t, err)
		var got [][]float32
		require.NoError(t, s.Each(func(_ int, values []float32) error {
			got = append(got, append([]float32{}, values...))
			return nil
		}))
		assert.Equal(t, c.want, got, name)
		require.NoError(t, s.Close())
	}
	for _, voxels := range [][]int{{0, 1, 0}, {4}, {-1}} {
		_, err := OpenSeries(path, voxels)
		faulttest.Require(t, fault.BadData, err, "occurs twice or is not among 4 in a volume")
	}
	_, err := OpenSeries(file(t, "y.nii", good(nil)), nil)
	faulttest.Require(t, fault.BadData, err, "is no time series")
	s, err := OpenSeries(file(t, "z.nii", good(dims(5, 2, 1, 1, 4, 1))), nil)
	require.NoError(t, err, "a fifth dimension of 1")
	assert.Equal(t, 4, s.Volumes)
	require.NoError(t, s.Close())
	_, err = OpenSeries(file(t, "z.nii", good(dims(5, 2, 1, 1, 2, 2))), nil)
	faulttest.Require(t, fault.BadData, err, "is no time series")
}

func TestSeriesThatAreNotSound(t *testing.T) {
	sound := moving(4, 3)
	noise := moving(250, 700) // does not compress to nothing
	for i := range noise[352:] {
		noise[352+i] = byte((i*i ^ i>>3) * 0x9e3779b1 >> 16)
	}
	zipped := gzipped(noise)
	gap := append(gzipped(good(func(b []byte) { f32(b, 108, 1<<27) })), make([]byte, 1<<18)...) // as if compressed
	for name, c := range map[string]struct {
		data []byte
		part string
	}{
		"cut":                {sound[:len(sound)-1], "needs 364 bytes, a file of 363 can hold 363"},
		"cut before it":      {sound[:350], "needs 364 bytes"},
		"no header":          {sound[:100], "end after"},
		"another kind":       {bytes.Repeat([]byte("hello, "), 80), "neither 348 nor 540"},
		"much behind":        {append(moving(4, 3), make([]byte, 2<<20)...), "follow the numbers"},
		"cut and zipped":     {gzipped(sound[:len(sound)-6]), "volume 1 of 3: read nifti"},
		"zipped and cut":     {zipped[:len(zipped)-len(zipped)/3], "the data end"},
		"zipped and flipped": {spoil(zipped, -len(zipped)/2), "read nifti"},
		"checksum":           {spoil(gzipped(sound), -6), "the compressed data are damaged"},
		"zipped twice":       {gzipped(gzipped(sound)), "the data end after"},
		"claims more":        {gzipped(good(dims(4, 9000, 900, 900, 32000))), "can hold"},
		"overflow":           {good(dims(7, 32767, 32767, 32767, 32767, 32767, 32767, 32767)), "counted"},
		"a gap of a bomb":    {gap, "lie between header and numbers"},
	} {
		fuzztest.Run(t, 64, append(make([]byte, 1<<14), c.data...), func() {
			s, err := OpenSeries(file(t, "x.nii", c.data), nil)
			if err == nil {
				err = s.Each(func(int, []float32) error { return nil })
				s.Close()
			}
			require.ErrorContains(t, err, c.part, name)
			assert.Equal(t, fault.BadData, fault.KindOf(err), name)
		})
	}
}

func TestAPairMustHaveAllNumbers(t *testing.T) {
	dir := t.TempDir()
	header, err := os.ReadFile("testdata/series_pair.hdr")
	require.NoError(t, err)
	numbers, err := os.ReadFile("testdata/series_pair.img")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(dir+"/x.hdr", header, 0o600))
	_, err = OpenSeries(dir+"/x.hdr", nil)
	faulttest.Require(t, fault.Missing, err, "x.img")
	require.NoError(t, os.WriteFile(dir+"/x.img", numbers[:len(numbers)-1], 0o600))
	_, err = OpenSeries(dir+"/x.img", nil)
	faulttest.Require(t, fault.BadData, err, "needs 480 bytes")
}

// A series of 50 volumes of 1 MB needs the memory of its columns.
func TestMemoryIsThatOfTheColumns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.nii")
	f, err := os.Create(path)
	require.NoError(t, err)
	head := good(dims(4, 1000, 1000, 1, 50))[:352]
	_, err = f.Write(head)
	require.NoError(t, err)
	require.NoError(t, f.Truncate(352+50_000_000))
	require.NoError(t, f.Close())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	s, err := OpenSeries(path, []int{5, 999_999})
	require.NoError(t, err)
	defer s.Close()
	values := make([]float32, 2)
	for range 50 {
		require.NoError(t, s.Next(values))
	}
	require.ErrorIs(t, s.Next(values), io.EOF)
	runtime.ReadMemStats(&after)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(1<<20))
}

func TestStopsWhereTheVisitorWants(t *testing.T) {
	s, err := OpenSeries(file(t, "x.nii", moving(4, 3)), nil)
	require.NoError(t, err)
	defer s.Close()
	enough := errors.New("enough")
	require.ErrorIs(t, s.Each(func(row int, _ []float32) error {
		if row == 1 {
			return enough
		}
		return nil
	}), enough)
	require.Error(t, s.Next(make([]float32, 3)), "a slice of another length")
	require.Error(t, s.Finish(), "a volume is left")
	require.NoError(t, s.Skip(4))
	require.NoError(t, s.Finish())
	require.Error(t, s.Skip(1))
}

func FuzzSeries(f *testing.F) {
	fuzztest.Seeds(f, "testdata/series_*.nii*")
	f.Add(moving(4, 3))
	f.Add(gzipped(moving(4, 3)))
	f.Fuzz(func(t *testing.T, input []byte) {
		fuzztest.Run(t, 1200, input, func() { // a volume of a gzip file may have 1032 bytes for each of the file
			stream, err := newStream(bytes.NewReader(input), int64(len(input)), "fuzz", false)
			if err != nil {
				return
			}
			if n := binary.Size(stream.piece); n > pieceBytes {
				t.Fatal(n)
			}
			s, err := newSeries(stream, []int{0})
			if err != nil {
				return
			}
			rows := 0
			if s.Each(func(int, []float32) error { rows++; return nil }) == nil {
				require.Equal(t, s.Volumes, rows)
			}
		})
	})
}
