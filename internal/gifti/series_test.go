package gifti

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/fuzztest"
)

func rowsOf(t *testing.T, s *Series) [][]float32 {
	t.Helper()
	var rows [][]float32
	require.NoError(t, s.Each(func(row int, values []float32) error {
		require.Equal(t, len(rows), row)
		rows = append(rows, append([]float32{}, values...))
		return nil
	}))
	return rows
}

// Encodings, types and both forms in both orders of indices give what nibabel reads, NaN included.
func TestSeriesAreThoseOfNibabel(t *testing.T) {
	var want map[string][][]*float32
	text, err := os.ReadFile("testdata/series.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &want))
	require.Len(t, want, 8)
	for name, rows := range want {
		s, err := OpenSeries("testdata/"+name, 9)
		require.NoError(t, err, name)
		assert.Equal(t, CortexLeft, s.Structure, name)
		assert.Equal(t, len(rows), s.Rows, name)
		assert.Equal(t, 9, s.Columns(), name)
		if strings.Contains(name, "rows.") {
			assert.Equal(t, 1500.0, s.TimeStep)
		}
		for _, memory := range []int{64 << 20, 4, 100} {
			s.PassBytes = memory
			got := rowsOf(t, s)
			require.Len(t, got, len(rows), name)
			for i := range rows {
				for v, w := range rows[i] {
					if w == nil {
						require.True(t, math.IsNaN(float64(got[i][v])), "%s: row %d, vertex %d", name, i, v)
					} else {
						require.InDelta(t, *w, got[i][v], 1e-6, "%s: row %d, vertex %d", name, i, v)
					}
				}
			}
		}
	}
}

// The files of laboratories: their verdict is to be read, with the medial wall as NaN.
func TestLaboratoryFilesAreRead(t *testing.T) {
	root := os.Getenv("BWLM_SHARED")
	if root == "" {
		t.Skip("BWLM_SHARED does not name the folder of shared test data")
	}
	dir := filepath.Join(root, "labfiles/bids/derivatives/fmriprep/sub-001/func/sub-001_task-tunnel_")
	for _, hemisphere := range []string{"L", "R"} {
		var forms [2][][]float32
		for i, name := range []string{"hemi-" + hemisphere + "_space-fsaverage6_bold", "space-fsaverage6_hemi-" +
			hemisphere + "_desc-clean"} {
			s, err := OpenSeries(dir+name+".func.gii", 12)
			require.NoError(t, err)
			assert.Equal(t, []float64{1500, 0}[i], s.TimeStep)
			forms[i] = rowsOf(t, s)
			require.Len(t, forms[i], 20)
			for _, row := range forms[i] {
				for v, x := range row {
					require.Equal(t, v >= 10, math.IsNaN(float64(x)))
				}
			}
		}
		assert.Equal(t, fmt.Sprint(forms[0]), fmt.Sprint(forms[1]), "one array for each volume, and one in all")
	}
	s, err := OpenSeries(filepath.Join(root, "labfiles/real/nibabel_task.func.gii"), 0)
	require.NoError(t, err)
	im, err := Read(filepath.Join(root, "labfiles/real/nibabel_task.func.gii"))
	require.NoError(t, err)
	rows := rowsOf(t, s)
	require.Len(t, rows, len(im.Arrays))
	for i := range rows {
		assert.Equal(t, im.Arrays[i].Float32(), rows[i])
	}
}

// made is a file of arrays with these attributes and numbers in ASCII.
func made(arrays ...string) string {
	return `<?xml version="1.0"?><!DOCTYPE GIFTI SYSTEM "x.dtd"><GIFTI Version="1.0">` + strings.Join(arrays, "") +
		`</GIFTI>`
}

func arr(dims, numbers string) string {
	return fmt.Sprintf(`<DataArray Intent="NIFTI_INTENT_NONE" DataType="NIFTI_TYPE_FLOAT32" Encoding="ASCII" %s>`+
		`<Data>%s</Data></DataArray>`, dims, numbers)
}

const (
	ofTwo   = `Dimensionality="1" Dim0="2"`
	twoBy3  = `Dimensionality="2" Dim0="2" Dim1="3"`
	square  = `Dimensionality="2" Dim0="2" Dim1="2"`
	columns = `Dimensionality="2" Dim0="2" Dim1="1"`
)

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.func.gii")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestTheSideOfTheVerticesIsFound(t *testing.T) {
	for name, c := range map[string]struct {
		text     string
		vertices int
		want     [][]float32
	}{
		"arrays":                {made(arr(ofTwo, "1 2"), arr(ofTwo, "3 4")), 0, [][]float32{{1, 2}, {3, 4}}},
		"arrays of the surface": {made(arr(ofTwo, "1 2"), arr(ofTwo, "3 4")), 2, [][]float32{{1, 2}, {3, 4}}},
		"arrays of columns": {made(arr(columns, "1 2"), arr(columns, "3 4")),
			2, [][]float32{{1, 2}, {3, 4}}},
		"one row":             {made(arr(ofTwo, "1 2")), 2, [][]float32{{1, 2}}},
		"volumes by vertices": {made(arr(twoBy3, "1 2 3 4 5 6")), 3, [][]float32{{1, 2, 3}, {4, 5, 6}}},
		"vertices by volumes": {made(arr(twoBy3, "1 2 3 4 5 6")), 2, [][]float32{{1, 4}, {2, 5}, {3, 6}}},
		"the first index fastest": {made(arr(twoBy3+` ArrayIndexingOrder="ColumnMajorOrder"`, "1 2 3 4 5 6")),
			2, [][]float32{{1, 2}, {3, 4}, {5, 6}}},
		"fastest and more volumes": {made(arr(twoBy3+` ArrayIndexingOrder="ColumnMajorOrder"`, "1 2 3 4 5 6")),
			3, [][]float32{{1, 3, 5}, {2, 4, 6}}},
		"words on lines": {made(arr(ofTwo, "\n1\n\t2.5e0  ")), 2, [][]float32{{1, 2.5}}},
	} {
		s, err := OpenSeries(file(t, c.text), c.vertices)
		require.NoError(t, err, name)
		assert.Equal(t, c.want, rowsOf(t, s), name)
	}
	enough := errors.New("enough")
	s, err := OpenSeries(file(t, made(arr(ofTwo, "1 2"), arr(ofTwo, "3 4"))), 0)
	require.NoError(t, err)
	require.ErrorIs(t, s.Each(func(int, []float32) error { return enough }), enough)
}

func TestSeriesThatAreRefused(t *testing.T) {
	data := func(attr, text string) string {
		return made(`<DataArray Intent="NIFTI_INTENT_NONE" DataType="NIFTI_TYPE_FLOAT32" ` + ofTwo + " " + attr +
			`><Data>` + text + `</Data></DataArray>`)
	}
	for name, c := range map[string]struct {
		text     string
		vertices int
		part     string
	}{
		"nothing":   {"", 2, "there is no XML"},
		"no GIFTI":  {"<svg></svg>", 2, "the outermost element is svg"},
		"no arrays": {made(), 2, "there are no arrays"},
		"a surface": {made(`<DataArray Intent="NIFTI_INTENT_POINTSET"><Data>1</Data></DataArray>`),
			2, "not a time series"},
		"another surface": {made(arr(ofTwo, "1 2"), arr(ofTwo, "3 4")),
			5, "its arrays have 2 values each, the surface has 5 vertices"},
		"neither side":     {made(arr(twoBy3, "1 2 3 4 5 6")), 5, "shape [2 3], the surface has 5 vertices"},
		"unknown vertices": {made(arr(twoBy3, "1 2 3 4 5 6")), 0, "nothing tells which side is time"},
		"a square":         {made(arr(square, "1 2 3 4")), 2, "which side is time cannot be told"},
		"three dimensions": {made(arr(`Dimensionality="3" Dim0="2" Dim1="2" Dim2="2"`, "1")),
			2, "more dimensions"},
		"unequal arrays": {made(arr(ofTwo, "1 2"), arr(twoBy3, "1")),
			2, "array 1: it has 6 elements, array 0 has 2"},
		"too few":           {made(arr(ofTwo, "1")), 2, "array 0: the data end before"},
		"too many":          {made(arr(ofTwo, "1 2 3")), 2, "more than the 2 elements"},
		"no number":         {made(arr(ofTwo, "1 x")), 2, `"x" is no number`},
		"a long word":       {made(arr(ofTwo, strings.Repeat("1", 500))), 2, "is no number"},
		"base64":            {data(`Encoding="Base64Binary"`, "AAAA*AAAAAA="), 2, "the data are damaged"},
		"base64 of too few": {data(`Encoding="Base64Binary"`, "AAAAAA=="), 2, "the data end before"},
		"base64 of too many": {data(`Encoding="Base64Binary"`, "AAAAAAAAAAAAAAAA"),
			2, "more than the 2 elements"},
		"zlib": {data(`Encoding="GZipBase64Binary"`, "AAAAAA=="),
			2, "the compressed data are damaged"},
		"another file": {data(`Encoding="ExternalFileBinary" ExternalFileName="/etc/passwd"`, ""),
			2, "the data stand in another file"},
		"an encoding": {data(`Encoding="Rot13"`, ""), 2, `the encoding "Rot13" is unknown`},
		"an order": {data(`ArrayIndexingOrder="Diagonal"`, ""),
			2, `the order of indices is "Diagonal"`},
		"an endian":       {data(`Endian="MiddleEndian"`, ""), 2, `the byte order is "MiddleEndian"`},
		"elements within": {made(arr(ofTwo, "<b/>")), 2, "elements within"},
		"no data": {made(`<DataArray DataType="NIFTI_TYPE_FLOAT32" ` + ofTwo + `></DataArray>`),
			2, "it has no data"},
		"a dimension of 0": {made(arr(`Dimensionality="1" Dim0="0"`, "")), 2, "want a whole number above 0"},
		"more than can be": {made(arr(`Dimensionality="2" Dim0="999999999" Dim1="999999999"`, "")),
			2, "more than the allowed"},
		"ends within":            {made(arr(ofTwo, "1 2"))[:200], 2, "unexpected EOF"},
		"entities":               {`<!DOCTYPE x [<!ENTITY a "b">]><GIFTI/>`, 2, "entities"},
		"deep":                   {made(strings.Repeat("<a>", 20)), 2, "nests more"},
		"a tag without end":      {"<GIFTI " + strings.Repeat("a", 5<<20), 2, "bytes between two tags"},
		"metadata without end":   {made("<MetaData>" + strings.Repeat("a ", 5<<19)), 2, "bytes between two tags"},
		"cut and gzip":           {"\x1f\x8b\x08\x00\x00\x00", 2, "damaged"},
		"the encoding of a text": {`<?xml version="1.0" encoding="EBCDIC"?><GIFTI/>`, 2, "want UTF-8"},
	} {
		path := file(t, c.text)
		fuzztest.Run(t, 16, append(make([]byte, 1<<14), c.text...), func() {
			s, err := OpenSeries(path, c.vertices)
			if err == nil {
				err = s.Each(func(int, []float32) error { return nil })
			}
			require.ErrorContains(t, err, c.part, name)
			faulttest.Require(t, fault.BadData, err)
		})
	}
	declared := func(n, text string) string {
		return strings.Replace(text, `<GIFTI `, `<GIFTI NumberOfDataArrays="`+n+`" `, 1)
	}
	for text, part := range map[string]string{
		declared("3", made(arr(ofTwo, "1 2"), arr(ofTwo, "3 4"))): "it has 2 rows, want 3",
		declared("1", made(arr(ofTwo, "1 2"), arr(ofTwo, "3 4"))): "array 1: there are more than the 1 arrays",
		declared("2", made(arr(ofTwo, "1 2"), arr(twoBy3, "3"))):  "array 1: it has 6 elements, array 0 has 2",
	} {
		s, err := OpenSeries(file(t, text), 2)
		require.NoError(t, err, "only the beginning is read")
		err = s.Each(func(int, []float32) error { return nil })
		faulttest.Require(t, fault.BadData, err, part)
	}
	_, err := OpenSeries("testdata/none.func.gii", 2)
	faulttest.Require(t, fault.Missing, err)
	path := file(t, made(arr(ofTwo, "1 2"), arr(ofTwo, "3 4")))
	s, err := OpenSeries(path, 2)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, []byte(made(arr(ofTwo, "1 2"))), 0o600))
	require.ErrorContains(t, s.Each(func(int, []float32) error { return nil }), "it has 1 rows, want 2")
}

func FuzzSeries(f *testing.F) {
	fuzztest.Seeds(f, "testdata/series_*.gii*")
	f.Add([]byte(made(arr(twoBy3, "1 2 3 4 5 6"))))
	f.Add([]byte(made(arr(ofTwo, "1 2"), arr(ofTwo, "3 4"))))
	f.Fuzz(func(t *testing.T, input []byte) {
		for _, vertices := range []int{0, 2, 9} {
			fuzztest.Run(t, 1200, input, func() {
				s := &Series{path: "fuzz", PassBytes: 1 << 16}
				scan := func(visit visitor) error { return s.scanFile(bytes.NewReader(input), visit) }
				if scan(s.note) != nil || s.decide(vertices) != nil || s.Vertices > 1<<14 || s.Rows > 1<<14 {
					return
				}
				rows := 0
				if s.each(scan, func(int, []float32) error { rows++; return nil }) == nil {
					require.Equal(t, s.Rows, rows)
				}
			})
		}
	})
}
