package npy

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/npyheader"
)

const magic = npyheader.Magic

// Files made by NumPy hold 0, 1, 2, … row by row, and say in their name what they are.
func TestReadByNumPy(t *testing.T) {
	paths, err := filepath.Glob("testdata/npy/*.npy")
	require.NoError(t, err)
	require.Len(t, paths, 34)
	for _, path := range paths {
		a, err := Read(path)
		require.NoError(t, err, path)
		parts := strings.Split(strings.TrimSuffix(filepath.Base(path), ".npy"), "_")
		require.Equal(t, parts[0], npyheader.Code(elements.Kind(a.DType)), path)
		shape := []int{}
		for _, d := range regexp.MustCompile(`\d+`).FindAllString(parts[3], -1) {
			n, err := strconv.Atoi(d)
			require.NoError(t, err)
			shape = append(shape, n)
		}
		require.Equal(t, shape, a.Shape, path)
		n := 1
		for _, d := range shape {
			n *= d
		}
		if a.DType == Bool {
			got, err := a.Bool()
			require.NoError(t, err)
			require.Len(t, got, n)
			for i, v := range got {
				require.Equal(t, i%2 == 1, v, path)
			}
			continue
		}
		narrow, err := a.Float32()
		require.NoError(t, err)
		wide, err := a.Float64()
		require.NoError(t, err)
		require.Len(t, narrow, n)
		require.Len(t, wide, n)
		for i := range n {
			require.Equal(t, float32(i), narrow[i], path)
			require.Equal(t, float64(i), wide[i], path)
		}
	}
}

// What is written has the bytes that NumPy writes.
func TestWriteEqualsNumPy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npy")
	same := func(golden string) {
		t.Helper()
		want, err := os.ReadFile(filepath.Join("testdata", "npy", golden))
		require.NoError(t, err)
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, want, got, golden)
	}
	require.NoError(t, Write(path, []int{2, 3}, []float32{0, 1, 2, 3, 4, 5}))
	same("f4_little_rows_2x3.npy")
	require.NoError(t, Write(path, []int{2, 3}, []float64{0, 1, 2, 3, 4, 5}))
	same("f8_little_rows_2x3.npy")
	require.NoError(t, Write(path, []int{2, 3}, []int64{0, 1, 2, 3, 4, 5}))
	same("i8_little_rows_2x3.npy")
	require.NoError(t, Write(path, []int{2, 3}, []int32{0, 1, 2, 3, 4, 5}))
	same("i4_little_rows_2x3.npy")
	require.NoError(t, Write(path, []int{2, 3}, []uint8{0, 1, 2, 3, 4, 5}))
	same("u1_little_rows_2x3.npy")
	require.NoError(t, Write(path, []int{2, 3}, []bool{false, true, false, true, false, true}))
	same("b1_little_rows_2x3.npy")
	require.NoError(t, Write(path, nil, []float32{0}))
	same("f4_little_rows_scalar.npy")
	require.NoError(t, Write(path, []int{5}, []float32{0, 1, 2, 3, 4}))
	same("f4_little_rows_5.npy")
	require.NoError(t, Write(path, []int{0, 3}, []float32(nil)))
	same("f4_little_rows_0x3.npy")
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npy")
	want := []float32{float32(math.NaN()), float32(math.Inf(-1)), 1e-45, float32(math.Copysign(0, -1))}
	shape := make([]int, elements.MaxRank)
	for i := range shape {
		shape[i] = 1
	}
	shape[40] = 4
	require.NoError(t, Write(path, shape, want))
	a, err := Read(path)
	require.NoError(t, err)
	require.Equal(t, shape, a.Shape)
	got, err := a.Float32()
	require.NoError(t, err)
	for i := range want {
		require.Equal(t, math.Float32bits(want[i]), math.Float32bits(got[i]))
	}
}

func TestWriteRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npy")
	for _, shape := range [][]int{{2}, {-1, -3}, {1 << 40, 1 << 40, 0}, make([]int, elements.MaxRank+1)} {
		faulttest.Require(t, fault.BadData, Write(path, shape, []float32{1, 2, 3}), "write npy: "+path)
	}
	require.NoFileExists(t, path)
}

// fileBytes makes a version 1 file of a dictionary and data.
func fileBytes(dictionary string, data []byte) []byte {
	b := append([]byte(magic), 1, 0, byte(len(dictionary)), byte(len(dictionary)>>8))
	return append(append(b, dictionary...), data...)
}

func readBytes(b []byte) (*Array, error) {
	return read(bytes.NewReader(b), int64(len(b)), "x.npy")
}

func TestReadRefused(t *testing.T) {
	dict := func(descr, order, shape string) string {
		return fmt.Sprintf("{'descr': %s, 'fortran_order': %s, 'shape': %s}", descr, order, shape)
	}
	good := fileBytes(dict("'<f4'", "False", "(2,)"), make([]byte, 8))
	_, err := readBytes(good)
	require.NoError(t, err)
	for n := range good {
		_, err := readBytes(good[:n])
		faulttest.Require(t, fault.BadData, err, "read npy: x.npy: ")
	}
	version := func(major byte, length ...byte) []byte { return append(append([]byte(magic), major, 0), length...) }
	for name, c := range map[string]struct {
		file []byte
		why  string
	}{
		"not npy":         {[]byte("1 2 3\n"), "is text, want a .npy file of numbers"},
		"zip":             {[]byte("PK\x03\x04 a zip file"), "is a zip archive, want a .npy file of numbers"},
		"npz":             {[]byte("PK\x03\x04 arr_0.npy"), "is an npz archive of NumPy"},
		"HDF5":            {[]byte("\x89HDF\r\n\x1a\n"), "is an HDF5 file"},
		"version 0":       {version(0, 0, 0, 0, 0), "version 0.0"},
		"version 4":       {version(4, 0, 0, 0, 0), "version 4.0"},
		"huge header":     {version(2, 0xff, 0xff, 0xff, 0xff), "claims 4294967295 bytes"},
		"header past end": {version(1, 0xff, 0xff, 0, 0), "claims 65535 bytes"},
		"empty header":    {version(1, 0, 0, 0, 0), "lacks '{'"},
		"trailing bytes":  {append(bytes.Clone(good), 0), "needs 8 bytes, the file has 9"},
		"huge shape": {fileBytes(dict("'<f4'", "False", "(1000000, 1000000)"), nil),
			"needs 4000000000000 bytes"},
		"overflow":        {fileBytes(dict("'<f4'", "False", "(4294967296, 4294967296, 0)"), nil), "overflows"},
		"number overflow": {fileBytes(dict("'<f4'", "False", "(99999999999999999999,)"), nil), "bad dimension"},
		"negative":        {fileBytes(dict("'<f4'", "False", "(-1,)"), nil), "bad dimension"},
		"float dimension": {fileBytes(dict("'<f4'", "False", "(2.0,)"), make([]byte, 8)), "lacks ')'"},
		"no tuple":        {fileBytes(dict("'<f4'", "False", "2"), make([]byte, 8)), "lacks '('"},
		"65 dimensions": {fileBytes(dict("'<f4'", "False", "("+strings.Repeat("1,", 65)+")"), make([]byte, 4)),
			"more than 64"},
		"objects":           {fileBytes(dict("'|O'", "False", "(1,)"), make([]byte, 8)), "Python objects"},
		"text":              {fileBytes(dict("'<U3'", "False", "(1,)"), make([]byte, 12)), "holds text"},
		"complex":           {fileBytes(dict("'<c8'", "False", "(1,)"), make([]byte, 8)), "holds complex numbers"},
		"record":            {fileBytes(dict("[('a', '<f4')]", "False", "(1,)"), make([]byte, 4)), "record"},
		"no byte order":     {fileBytes(dict("'|f4'", "False", "(1,)"), make([]byte, 4)), "byte order"},
		"native byte order": {fileBytes(dict("'=f4'", "False", "(1,)"), make([]byte, 4)), "byte order"},
		"empty dtype":       {fileBytes(dict("''", "False", "(1,)"), make([]byte, 4)), "unknown dtype"},
		"order is 1":        {fileBytes(dict("'<f4'", "1", "(1,)"), make([]byte, 4)), "neither True nor False"},
		"key twice": {fileBytes("{'shape': (1,), 'shape': (1,), 'descr': '<f4', 'fortran_order': False}",
			make([]byte, 4)), "twice"},
		"unknown key": {fileBytes("{'shapes': (1,)}", nil), "unknown key"},
		"missing key": {fileBytes("{'shape': (1,), 'descr': '<f4'}", make([]byte, 4)),
			"lacks descr, fortran_order or shape"},
		"code":          {fileBytes("__import__('os').system('true')", nil), "lacks '{'"},
		"after the end": {fileBytes(dict("'<f4'", "False", "(1,)")+" + 1", make([]byte, 4)), "continues"},
		"escape":        {fileBytes(dict(`'\x3cf4'`, "False", "(1,)"), make([]byte, 4)), "unfinished string"},
		"unfinished":    {fileBytes(`{'descr`, nil), "unfinished string"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readBytes(c.file)
			faulttest.Require(t, fault.BadData, err, "read npy: x.npy: ", c.why)
		})
	}
}

func TestReadOldPython(t *testing.T) {
	a, err := readBytes(fileBytes(`{"shape": (2L, 1L,), "fortran_order": True, "descr": ">i2",}`+"  \n",
		[]byte{1, 0, 0xff, 0xff}))
	require.NoError(t, err)
	got, err := a.Float64()
	require.NoError(t, err)
	assert.Equal(t, []float64{256, -1}, got)
	assert.Equal(t, []int{2, 1}, a.Shape)
}

func TestArrayTypes(t *testing.T) {
	a, err := readBytes(fileBytes("{'descr': '|b1', 'fortran_order': False, 'shape': (1,)}", []byte{2}))
	require.NoError(t, err)
	_, err = a.Bool()
	faulttest.Require(t, fault.BadData, err, "x.npy: element 0 is 2")
	_, err = a.Float32()
	faulttest.Require(t, fault.BadData, err, "holds bool", "astype")
}

// Word vectors that NumPy wrote, if the shared data are there.
func TestReadWordVectors(t *testing.T) {
	shared := os.Getenv("BWLM_SHARED")
	if shared == "" {
		t.Skip("BWLM_SHARED does not name the shared data")
	}
	a, err := Read(filepath.Join(shared, "data", "words", "glove6B_50d_subset.npy"))
	require.NoError(t, err)
	require.Len(t, a.Shape, 2)
	require.Equal(t, 50, a.Shape[1])
	got, err := a.Float32()
	require.NoError(t, err)
	require.Len(t, got, 50*a.Shape[0])
}

func TestMatrixRow(t *testing.T) {
	m := Matrix{Rows: 2, Cols: 3, Data: []float32{0, 1, 2, 3, 4, 5}}
	assert.Equal(t, []float32{3, 4, 5}, m.Row(1))
	first := append(m.Row(0), 9)
	assert.Equal(t, []float32{0, 1, 2, 9}, first)
	assert.Equal(t, []float32{3, 4, 5}, m.Row(1), "appending to a row does not reach the next")
}
