package hdf5

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/fuzztest"
)

// Values of hashlittle with the initial value 0, from the comments and the self-test of lookup3.c.
func TestLookup3(t *testing.T) {
	assert.Equal(t, uint32(0xdeadbeef), lookup3(nil))
	assert.Equal(t, uint32(0x17770551), lookup3([]byte("Four score and seven years ago")))
}

// Sums from the article on Fletcher's checksum in Wikipedia, whose words are little-endian: these are their bytes
// in pairs the other way round.
func TestFletcher32(t *testing.T) {
	swapped := func(text string) []byte {
		b := []byte(text + "\x00")[:(len(text)+1)/2*2]
		for i := 0; i < len(b); i += 2 {
			b[i], b[i+1] = b[i+1], b[i]
		}
		return b
	}
	assert.Equal(t, uint32(0xf04fc729), fletcher32(swapped("abcde")))
	assert.Equal(t, uint32(0x56502d2a), fletcher32(swapped("abcdef")))
	assert.Equal(t, uint32(0xebe19591), fletcher32(swapped("abcdefgh")))
	assert.Equal(t, uint32(0x0100_0100), fletcher32([]byte{1}), "a last byte alone is the higher one")
}

func TestAFletcherSumOfHDF5162IsAccepted(t *testing.T) {
	data := []byte("abcdefgh")
	sum := binary.LittleEndian.AppendUint32(nil, fletcher32(data))
	for _, order := range [][4]int{{0, 1, 2, 3}, {1, 0, 3, 2}} {
		whole := bytes.Clone(data)
		for _, i := range order {
			whole = append(whole, sum[i])
		}
		got, err := fletcher(whole)
		require.NoError(t, err)
		assert.Equal(t, data, got)
	}
	_, err := fletcher(append(bytes.Clone(data), sum[2], sum[3], sum[0], sum[1]))
	require.Error(t, err)
}

func TestLZF(t *testing.T) {
	expand := func(data ...byte) (string, error) {
		out, err := lzf(make([]byte, 0, 40), data)
		return string(out), err
	}
	for _, c := range []struct {
		data []byte
		want string
	}{
		{nil, ""},
		{[]byte{2, 'a', 'b', 'c'}, "abc"},
		{[]byte{1, 'a', 'b', 1 << 5, 1}, "ababa"},                // 3 bytes from 2 back
		{[]byte{0, 'x', 7 << 5, 1, 0}, "xxxxxxxxxxx"},            // 7 + 1 + 2 bytes from 1 back, over themselves
		{[]byte{1, 'a', 'b', 2 << 5, 0, 0, 'c'}, "abbbbbc"},      // 4 bytes from 1 back, then a literal
		{[]byte{2, 'a', 'b', 'c', 1 << 5, 2, 0, '!'}, "abcabc!"}, // 3 from 3 back
	} {
		got, err := expand(c.data...)
		require.NoError(t, err)
		assert.Equal(t, c.want, got)
	}
	for _, data := range [][]byte{{5, 'a'}, {1 << 5}, {7 << 5, 1}, {0, 'a', 1 << 5, 1}, {0, 'a', 7 << 5, 200, 0},
		{0, 'a', 33, 0}} {
		_, err := expand(data...)
		require.ErrorIs(t, err, errLZF, "%v", data)
	}
}

func TestBytesAreUnshuffled(t *testing.T) {
	out := make([]byte, 7)
	unshuffle(out, []byte("acebdfx"), 2)
	assert.Equal(t, "abcdefx", string(out))
	some := make([]byte, 4)
	gather(some, []byte("acebdf"), 2, 1)
	assert.Equal(t, "cdef", string(some))
}

// An element that is said to have 4 GB takes no time: the fuzzer found a file of 3 KB that took seconds so.
func TestElementsLargerThanAChunkAreNotUnshuffled(t *testing.T) {
	out := make([]byte, 3)
	fuzztest.Run(t, perByte, []byte("abc"), func() {
		for range 100 {
			unshuffle(out, []byte("abc"), math.MaxUint32)
		}
	})
	assert.Equal(t, "abc", string(out))
}

func TestBoxesOfRows(t *testing.T) {
	g := grid{shape: []int{3, 4, 2}}
	columns := Span{0, 2}
	for _, c := range []struct {
		from, to int
		want     []box
	}{
		{0, 12, []box{{[]int{0, 0, 0}, []int{3, 4, 2}}}},
		{5, 7, []box{{[]int{1, 1, 0}, []int{2, 3, 2}}}},
		{3, 9, []box{{[]int{0, 3, 0}, []int{1, 4, 2}}, {[]int{1, 0, 0}, []int{2, 4, 2}},
			{[]int{2, 0, 0}, []int{3, 1, 2}}}},
		{4, 8, []box{{[]int{1, 0, 0}, []int{2, 4, 2}}}},
		{7, 7, nil},
	} {
		assert.Equal(t, c.want, g.boxes(c.from, c.to, columns), "%d to %d", c.from, c.to)
	}
}

// message makes a data type message.
func typeMessage(class, version int, flags [3]byte, size uint32, properties ...byte) []byte {
	head := []byte{byte(version<<4 | class), flags[0], flags[1], flags[2]}
	return append(binary.LittleEndian.AppendUint32(head, size), properties...)
}

func TestTypes(t *testing.T) {
	double := []byte{0, 0, 64, 0, 52, 11, 0, 52, 0xff, 3, 0, 0}
	for _, c := range []struct {
		name string
		data []byte
		kind elements.Kind
		text string
	}{
		{"int16", typeMessage(0, 1, [3]byte{8}, 2, 0, 0, 16, 0), elements.Int16, "int16"},
		{"big-endian uint32", typeMessage(0, 3, [3]byte{1}, 4, 0, 0, 32, 0), elements.Uint32, "uint32 (big-endian)"},
		{"12 of 16 bits", typeMessage(0, 1, [3]byte{8}, 2, 0, 0, 12, 0), "", "integers of 12 bits in 2 bytes"},
		{"3 bytes", typeMessage(0, 1, [3]byte{8}, 3, 0, 0, 24, 0), "", "integers of 24 bits in 3 bytes"},
		{"float64", typeMessage(1, 1, [3]byte{0x20, 63}, 8, double...), elements.Float64, "float64"},
		{"VAX", typeMessage(1, 3, [3]byte{0x61, 63}, 8, double...), "", "VAX floats"},
		{"another sign", typeMessage(1, 1, [3]byte{0x20, 0}, 8, double...), "",
			"floats of 64 bits that are not of IEEE 754"},
		{"no implied one", typeMessage(1, 1, [3]byte{0, 63}, 8, double...), "",
			"floats of 64 bits that are not of IEEE 754"},
		{"bits", typeMessage(4, 1, [3]byte{}, 1, 0, 0, 8, 0), elements.Uint8, "uint8"},
		{"bool of an enumeration of version 3", append(typeMessage(8, 3, [3]byte{2}, 1,
			typeMessage(0, 3, [3]byte{8}, 1, 0, 0, 8, 0)...), "FALSE\x00TRUE\x00\x00\x01"...), elements.Bool, "bool"},
		{"another enumeration", append(typeMessage(8, 3, [3]byte{2}, 1,
			typeMessage(0, 3, [3]byte{8}, 1, 0, 0, 8, 0)...), "LEFT\x00RIGHT\x00\x00\x01"...), elements.Int8, "int8"},
		{"compound", typeMessage(6, 3, [3]byte{2}, 16, []byte("x\x00y\x00")...), "", "compound elements"},
		{"complex", typeMessage(6, 3, [3]byte{2}, 16, []byte("r\x00\x00i\x00")...), "", "complex numbers"},
		{"reference", typeMessage(7, 1, [3]byte{}, 8), "", "references"},
	} {
		got, err := parseType(c.data)
		require.NoError(t, err, c.name)
		assert.Equal(t, c.kind, got.Kind, c.name)
		assert.Equal(t, c.text, got.String(), c.name)
	}
	for name, data := range map[string][]byte{"short": {0x10, 0, 0}, "no bytes": typeMessage(0, 1, [3]byte{}, 0),
		"version 9": typeMessage(0, 9, [3]byte{}, 1, 0, 0, 8, 0), "no properties": typeMessage(0, 1, [3]byte{}, 1)} {
		_, err := parseType(data)
		require.Error(t, err, name)
	}
}

func TestFeaturesAreRefusedByName(t *testing.T) {
	external := header{{kind: msgExternal}}
	assert.ErrorContains(t, (&source{}).describe("a", external).Err(), "external storage")
	shared := header{{kind: msgType, shared: true}}
	assert.ErrorContains(t, (&source{}).describe("a", shared).Err(), "a shared message or a committed data type")
	for id, name := range map[byte]string{4: "szip", 5: "nbit", 6: "scaleoffset"} {
		steps, err := parsePipeline([]byte{2, 1, id, 0, 0, 0, 0, 0})
		require.NoError(t, err)
		assert.ErrorContains(t, readable(steps), "the filter "+name+" is not read")
	}
}

func TestFilesOfOtherKinds(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct{ text, want string }{
		"picture.hf5": {"\x89PNG\r\n\x1a\n" + string(make([]byte, 100)), "is a PNG picture, want an HDF5 file"},
		"page.h5":     {"<!DOCTYPE html><html></html>", "is an HTML page, want an HDF5 file"},
		"old.mat":     {"MATLAB 5.0 MAT-file, Platform: GLNXA64", "is a MATLAB file (version 5), want an HDF5 file"},
		"text.h5":     {"1 2 3\n", "is not an HDF5 file"},
		"empty.h5":    {"", "is not an HDF5 file"},
		"start.h5":    {signature, "the superblock ends too early"},
	} {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(c.text), 0o600))
		_, err := Open(path)
		faulttest.Require(t, fault.BadData, err, "read hdf5: "+path, c.want)
	}
	_, err := Open(filepath.Join(dir, "none.h5"))
	faulttest.Require(t, fault.Missing, err, "no such file")
}

func TestOpenForWritingIsRefused(t *testing.T) {
	data := bytes.Clone(small(t)["edges_latest_sum.h5"])
	data[11] |= openForWriting
	binary.LittleEndian.PutUint32(data[44:], lookup3(data[:44]))
	_, err := inMemory(data)
	faulttest.Require(t, fault.BadData, err, "is open for writing", "h5clear -s")
}

func TestRowsOutsideOfTheArray(t *testing.T) {
	d := dataset(t, opened(t, "testdata/small/edges_latest_sum.h5"), "data")
	for _, c := range []struct{ from, to, n int }{{-1, 1, 14}, {0, 13, 91}, {3, 2, 0}, {0, 1, 6}} {
		faulttest.Require(t, fault.Usage, d.ReadRows(c.from, c.to, make([]float32, c.n)),
			"the array has 12 rows and 7 columns")
	}
	require.NoError(t, d.ReadRows(12, 12, nil))
}

func TestANumberThatNoFloat32Holds(t *testing.T) {
	data := bytes.Clone(small(t)["group12_earliest.h5"])
	f, err := inMemory(data)
	require.NoError(t, err)
	d := dataset(t, f, "data")
	offset, ok := d.InPlace()
	require.True(t, ok)
	binary.LittleEndian.PutUint64(data[offset+4*8:], math.Float64bits(1e300))
	out := make([]float32, 3)
	require.NoError(t, d.ReadRows(0, 1, out))
	faulttest.Require(t, fault.BadData, d.ReadRows(1, 2, out), "x.h5:data: row 1, column 1: 1e+300 is too large")
	faulttest.Require(t, fault.BadData, d.ReadBlock(Span{0, 2}, Span{1, 3}, make([]float32, 4)),
		"row 1, column 1: 1e+300")
	require.NoError(t, d.ReadRows64(1, 2, make([]float64, 3)))
}

func TestReadingAfterClose(t *testing.T) {
	f, err := Open("testdata/small/edges_latest_sum.h5")
	require.NoError(t, err)
	d := dataset(t, f, "data")
	require.NoError(t, f.Close())
	require.NoError(t, f.Close(), "a second time")
	faulttest.Require(t, fault.IO, d.ReadRows(0, 1, make([]float32, 7)), "file already closed")
}

func TestMATLABFiles(t *testing.T) {
	dir := filepath.Join(labfiles(t), "real")
	packed := opened(t, filepath.Join(dir, "pytables_matlab_file.mat")) // compact
	require.Equal(t, []float64{1, 2, 3}, all(t, only(t, packed)))
	old := opened(t, filepath.Join(dir, "scipy_testhdf5_7.4_GLNX86.mat")) // layout message 2
	d := only(t, old)
	require.Equal(t, []int{9, 1}, d.Shape)
	for i, x := range all(t, d) {
		require.InDelta(t, float64(i)*math.Pi/4, x, 1e-12)
	}
	class, ok, err := d.Attribute("MATLAB_class")
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, "double", class.Text())
}
