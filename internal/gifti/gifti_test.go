package gifti

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/fuzztest"
)

func golden(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, into))
}

// Every encoding and byte order gives what nibabel reads; ASCII has 6 decimals.
func TestSurfaceGoldens(t *testing.T) {
	var want struct {
		Points []float32
		Faces  []int32
	}
	golden(t, "surface.json", &want)
	for _, name := range []string{"ascii_little", "base64_little", "base64_big", "gzip_little", "gzip_big"} {
		im, err := Read("testdata/surface_" + name + ".gii")
		require.NoError(t, err, name)
		points, faces := im.Find(PointSet), im.Find(Triangle)
		assert.Equal(t, []int{8, 3}, points.Dims)
		assert.InDeltaSlice(t, want.Points, points.Float32(), 5.1e-7, name)
		if name != "ascii_little" {
			assert.Equal(t, want.Points, points.Float32(), name)
		}
		got, err := faces.Int32()
		require.NoError(t, err)
		assert.Equal(t, want.Faces, got, name)
		assert.Equal(t, "nifti_intent_triangle", faces.Meta["Name"])
	}
	var column []float32
	golden(t, "column_major.json", &column)
	im, err := Read("testdata/column_major.gii")
	require.NoError(t, err)
	assert.Equal(t, column, im.Arrays[0].Float32())
}

func TestLabelAndMapGoldens(t *testing.T) {
	im, err := Read("testdata/label.gii")
	require.NoError(t, err)
	keys, err := im.Find(Label).Int32()
	require.NoError(t, err)
	assert.Equal(t, []int32{0, 300, 300, 70000, 0, 70000, 300, 0}, keys, "keys above 255 and 32767 stay")
	assert.Equal(t, []LabelEntry{{0, "???", 0, 0, 0, 0}, {300, "R_A1_ROI", 1, 0, .5, 1},
		{70000, "R_A4_ROI", 0, .25, 0, 1}}, im.Labels)

	var want [][]float32
	golden(t, "func.json", &want)
	im, err = Read("testdata/func.gii")
	require.NoError(t, err)
	require.Len(t, im.Arrays, 2)
	for i, a := range im.Arrays {
		assert.Equal(t, want[i], a.Float32())
	}
	_, err = im.Arrays[0].Int32()
	require.ErrorContains(t, err, "want whole numbers", "floats are no labels")
	assert.Equal(t, fault.BadData, fault.KindOf(err))
}

func TestWrittenFilesComeBack(t *testing.T) {
	im := &Image{
		Arrays: []Array{
			NewFloat(PointSet, "p", []int{2, 3}, []float32{1, 2, 3, 4, 5, -6.5}),
			NewInt(Label, "", []int{2}, []int32{7, 1 << 20}),
		},
		Labels: []LabelEntry{{7, "a <b> & \"c\"", .5, 0, 1, 1}, {1 << 20, "d", 0, 0, 0, 1}},
		Meta:   map[string]string{"AnatomicalStructurePrimary": CortexLeft},
	}
	var first, second bytes.Buffer
	_, err := im.WriteTo(&first)
	require.NoError(t, err)
	again, err := Parse(first.Bytes(), "x.gii")
	require.NoError(t, err)
	assert.Equal(t, im.Labels, again.Labels)
	assert.Equal(t, im.Meta, again.Meta)
	assert.Equal(t, im.Arrays[0].Float32(), again.Arrays[0].Float32())
	_, err = again.WriteTo(&second)
	require.NoError(t, err)
	assert.Equal(t, first.String(), second.String())
	im.Arrays[0].Dims = []int{3, 3}
	_, err = im.WriteTo(&second)
	require.Error(t, err)
}

// one makes a file of one array with some attributes changed.
func one(data string, attributes ...string) []byte {
	all := map[string]string{"Intent": None, "DataType": "NIFTI_TYPE_INT32", "Dimensionality": "1", "Dim0": "2",
		"Encoding": "ASCII",
		"Endian":   "LittleEndian", "ArrayIndexingOrder": "RowMajorOrder"}
	for _, a := range attributes {
		key, value, _ := strings.Cut(a, "=")
		all[key] = value
	}
	text := "<GIFTI><DataArray"
	for key, value := range all {
		text += fmt.Sprintf(" %s=%q", key, value)
	}
	return []byte(text + "><Data>" + data + "</Data></DataArray></GIFTI>")
}

func deflated(n int) string {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	_, _ = z.Write(make([]byte, n))
	z.Close()
	return base64.StdEncoding.EncodeToString(b.Bytes())
}

const bomb = `<?xml version="1.0"?><!DOCTYPE GIFTI [<!ENTITY a "ha"><!ENTITY b ` +
	`"&a;&a;&a;&a;">]><GIFTI><MetaData>&b;</MetaData></GIFTI>`

func TestHostileFiles(t *testing.T) {
	_, err := Parse(one("3 4"), "x.gii")
	require.NoError(t, err)
	for why, c := range map[string]struct {
		data []byte
		part string
	}{
		"empty":       {nil, "0 outermost elements"},
		"no xml":      {[]byte("hello"), "0 outermost elements"},
		"unfinished":  {[]byte("<GIFTI><DataArray>"), "unexpected EOF"},
		"other xml":   {[]byte("<svg/>"), "want GIFTI"},
		"two roots":   {[]byte("<GIFTI/><GIFTI/>"), "2 outermost"},
		"entity bomb": {[]byte(bomb), "entities"},
		"entity":      {[]byte("<GIFTI>&xxe;</GIFTI>"), "entity"},
		"external dtd": {[]byte(`<!DOCTYPE GIFTI SYSTEM "file:///etc/passwd" [<!ENTITY x SYSTEM ` +
			`"file:///etc/passwd">]><GIFTI/>`), "entities"},
		"deep":           {[]byte("<GIFTI>" + strings.Repeat("<a>", 5000)), "nests more than"},
		"many":           {[]byte("<GIFTI>" + strings.Repeat("<a/>", 1<<17) + "</GIFTI>"), "more than 65536 elements"},
		"count":          {[]byte(`<GIFTI NumberOfDataArrays="2"></GIFTI>`), "2 arrays are declared"},
		"encoding":       {[]byte(`<?xml version="1.0" encoding="UTF-7"?><GIFTI/>`), "UTF-7"},
		"external":       {one("", "Encoding=ExternalFileBinary", "ExternalFileName=../secret.dat"), "../secret.dat"},
		"unknown coding": {one("", "Encoding=Zip"), "Zip"},
		"type":           {one("1 2", "DataType=NIFTI_TYPE_COMPLEX64"), "COMPLEX64"},
		"type name":      {one("1 2", "DataType=int"), `"int"`},
		"rank 0":         {one("", "Dimensionality=0"), "dimensionality"},
		"rank 7":         {one("", "Dimensionality=7"), "dimensionality"},
		"no dim":         {one("1 2", "Dimensionality=2"), "Dim1"},
		"dim 0":          {one("", "Dim0=0"), "Dim0"},
		"dim -1":         {one("", "Dim0=-1"), "Dim0"},
		"dim huge":       {one("1", "Dim0=1000000000"), "allowed"},
		"overflow":       {one("1", "Dimensionality=2", "Dim0=4294967296", "Dim1=4294967297"), "allowed"},
		"too few":        {one("1 "), "cannot hold"},
		"short ascii":    {one("1      "), "there are 1"},
		"too many":       {one("1 2 3"), "more than"},
		"no number":      {one("1 x"), `"x"`},
		"out of range":   {one("1 3000000000"), "no number of INT32"},
		"fraction":       {one("1 2.5"), "no number of INT32"},
		"base64":         {one("!!!!!!!!!!!!", "Encoding=Base64Binary"), "base64"},
		"base64 short":   {one("AAAA", "Encoding=Base64Binary"), "needs 8 bytes"},
		"base64 long": {one(base64.StdEncoding.EncodeToString(make([]byte, 12)), "Encoding=Base64Binary"),
			"the data have 12"},
		"gzip short":   {one(deflated(4), "Encoding=GZipBase64Binary"), "end after 4 of 8"},
		"gzip long":    {one(deflated(12), "Encoding=GZipBase64Binary"), "more than the 8"},
		"gzip bomb":    {one(deflated(1<<22), "Encoding=GZipBase64Binary"), "more than the 8"},
		"gzip claims":  {one(deflated(8), "Encoding=GZipBase64Binary", "Dim0=200000000"), "can hold"},
		"gzip damaged": {one("AAAAAAAAAAAAAAAA", "Encoding=GZipBase64Binary"), "damaged"},
		"endian":       {one("1 2", "Endian=Middle"), "Middle"},
		"order":        {one("1 2", "ArrayIndexingOrder=Spiral"), "Spiral"},
		"label twice": {[]byte(`<GIFTI><LabelTable><Label Key="1">a</Label><Label ` +
			`Key="1">b</Label></LabelTable></GIFTI>`), "twice"},
		"label key":    {[]byte(`<GIFTI><LabelTable><Label Key="x">a</Label></LabelTable></GIFTI>`), `"x"`},
		"label colour": {[]byte(`<GIFTI><LabelTable><Label Key="1" Red="NaN">a</Label></LabelTable></GIFTI>`), "NaN"},
	} {
		fuzztest.Run(t, 64, c.data, func() {
			_, err := Parse(c.data, "x.gii")
			require.ErrorContains(t, err, c.part, why)
			assert.Equal(t, fault.BadData, fault.KindOf(err), why)
			assert.NotContains(t, err.Error(), "\n", why)
		})
	}
}

// A file that refers to its type only by name is what every program writes.
func TestDocumentTypeIsPassedOver(t *testing.T) {
	_, err := Parse([]byte(`<!DOCTYPE GIFTI SYSTEM "http://gifti.projects.nitrc.org/gifti.dtd"><GIFTI/>`), "x.gii")
	require.NoError(t, err)
}

func FuzzGIFTI(f *testing.F) {
	fuzztest.Seeds(f, "testdata/*.gii")
	f.Add([]byte(bomb))
	f.Fuzz(func(t *testing.T, input []byte) {
		if bytes.HasPrefix(input, []byte{0x1f, 0x8b}) {
			return // whole files gzipped may expand a thousandfold
		}
		most := 64
		if bytes.Contains(input, []byte("GZip")) {
			most = 4096 // deflate's best, and reading it as numbers
		}
		fuzztest.Run(t, most, input, func() {
			im, err := Parse(input, "fuzz")
			if err != nil {
				return
			}
			for _, a := range im.Arrays {
				n := 1
				for _, d := range a.Dims {
					n *= d
				}
				require.Len(t, a.Float32(), n)
				_, _ = a.Int32()
			}
		})
	})
}
