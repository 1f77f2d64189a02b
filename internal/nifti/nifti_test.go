package nifti

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/fuzztest"
)

// Every type, byte order, version, pair, scaling and affine gives what nibabel reads.
func TestGoldens(t *testing.T) {
	var want map[string]struct {
		Dim    []int
		Affine []float64
		Values []float64
	}
	text, err := os.ReadFile("testdata/want.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &want))
	require.Greater(t, len(want), 35)
	for name, w := range want {
		im, err := Read("testdata/" + name)
		require.NoError(t, err, name)
		assert.Equal(t, w.Dim, im.Dim, name)
		for i, v := range w.Affine {
			assert.InDelta(t, v, im.Affine[i/4][i%4], 1e-5, "%s, affine from %s", name, im.AffineFrom)
		}
		for i, v := range im.Float32() {
			require.InDelta(t, w.Values[i], v, 1e-6*math.Max(1, math.Abs(w.Values[i])), "%s, number %d", name, i)
		}
	}
	for name, from := range map[string]string{"u1.nii": "sform", "qform.nii": "qform", "qform_2.nii": "qform",
		"pixdim.nii": "pixdim"} {
		im, err := Read("testdata/" + name)
		require.NoError(t, err)
		assert.Equal(t, from, im.AffineFrom)
	}
}

func TestLongVectorOfFreeSurfer(t *testing.T) {
	im, err := Read("testdata/long_vector.nii.gz")
	require.NoError(t, err)
	require.Equal(t, []int{40000, 1, 1}, im.Dim)
	labels, err := im.Labels()
	require.NoError(t, err)
	for i, l := range labels {
		require.EqualValues(t, i%7, l)
	}
}

func TestLabelsMustBeWhole(t *testing.T) {
	im, err := Read("testdata/f4.nii")
	require.NoError(t, err)
	_, err = im.Labels()
	require.ErrorContains(t, err, "want whole numbers")
	im = NewFloat([]int{3}, identity, []float32{-1, 300, 70000})
	labels, err := im.Labels()
	require.NoError(t, err, "floats that are whole")
	assert.Equal(t, []int32{-1, 300, 70000}, labels)
	nan := float32(math.NaN())
	labels, err = NewFloat([]int{4}, identity, []float32{nan, 3, nan, 1}).Labels()
	require.NoError(t, err, "NaN outside of the regions")
	assert.Equal(t, []int32{0, 3, 0, 1}, labels)
	_, err = NewFloat([]int{2}, identity, []float32{float32(math.Inf(1)), 1}).Labels()
	require.ErrorContains(t, err, "number 0 is +Inf")
}

var identity = [3][4]float64{{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}}

func TestWrittenFilesComeBack(t *testing.T) {
	affine := [3][4]float64{{-2, 0, 0, 90}, {0, 2, .5, -126}, {0, -.5, 2, -72}}
	im := NewFloat([]int{2, 1, 3}, affine, []float32{1, 2, 3, float32(math.NaN()), 5, -6})
	im.Description = "r, tuned"
	for name, write := range map[string]func(*bytes.Buffer) error{
		"x.nii":    func(b *bytes.Buffer) error { _, err := im.WriteTo(b); return err },
		"x.nii.gz": func(b *bytes.Buffer) error { return im.WriteGzip(b) },
	} {
		var b bytes.Buffer
		require.NoError(t, write(&b))
		again, err := Parse(b.Bytes(), nil, name)
		require.NoError(t, err)
		assert.Equal(t, im.Dim, again.Dim)
		assert.Equal(t, affine, again.Affine)
		assert.Equal(t, "r, tuned", again.Description)
		got := again.Float32()
		assert.True(t, math.IsNaN(float64(got[3])))
		got[3] = 0
		assert.Equal(t, []float32{1, 2, 3, 0, 5, -6}, got)
	}
	for _, dim := range [][]int{{2}, {40000, 1}, {1, 1, 1, 1, 1, 1, 1, 6}} {
		_, err := NewFloat(dim, identity, make([]float32, 6)).WriteTo(&bytes.Buffer{})
		require.Error(t, err, dim)
	}
}

// good makes a sound file of 2 × 2 × 2 uint8 and lets change spoil its header.
func good(change func(b []byte)) []byte {
	b := make([]byte, 352+8)
	binary.LittleEndian.PutUint32(b, 348)
	for i, d := range []uint16{3, 2, 2, 2, 1, 1, 1, 1} {
		binary.LittleEndian.PutUint16(b[40+2*i:], d)
	}
	binary.LittleEndian.PutUint16(b[70:], 2)
	binary.LittleEndian.PutUint16(b[72:], 8)
	f32(b, 108, 352)
	copy(b[344:], "n+1\x00")
	if change != nil {
		change(b)
	}
	return b
}

func i16(b []byte, at int, v int) { binary.LittleEndian.PutUint16(b[at:], uint16(v)) }
func f32(b []byte, at int, v float64) {
	binary.LittleEndian.PutUint32(b[at:], math.Float32bits(float32(v)))
}

func gzipped(b []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, _ = z.Write(b)
	z.Close()
	return out.Bytes()
}

func dims(d ...int) func([]byte) {
	return func(b []byte) {
		for i, v := range d {
			i16(b, 40+2*i, v)
		}
	}
}

func TestHostileFiles(t *testing.T) {
	_, err := Parse(good(nil), nil, "x.nii")
	require.NoError(t, err)
	offset := func(v float64) []byte { return good(func(b []byte) { f32(b, 108, v) }) }
	kind := func(code, bits int) []byte { return good(func(b []byte) { i16(b, 70, code); i16(b, 72, bits) }) }
	large2 := make([]byte, 560) // NIfTI-2 whose product of dimensions overflows 64 bits
	binary.LittleEndian.PutUint32(large2, 540)
	copy(large2[4:], magic2)
	i16(large2, 12, 2)
	i16(large2, 14, 8)
	for i, d := range []uint64{3, 1 << 29, 1 << 29, 1 << 29, 1, 1, 1, 1} {
		binary.LittleEndian.PutUint64(large2[16+8*i:], d)
	}
	binary.LittleEndian.PutUint64(large2[168:], 544)
	for why, c := range map[string]struct {
		data []byte
		part string
	}{
		"empty":            {nil, "end after 0"},
		"short":            {good(nil)[:347], "end after"},
		"magic":            {good(func(b []byte) { b[344] = 'x' }), "ANALYZE"},
		"no nifti":         {bytes.Repeat([]byte("hello, "), 80), "neither 348 nor 540"},
		"swapped size":     {good(func(b []byte) { copy(b, []byte{0, 0, 1, 0x5c}) }), "dim[0]"},
		"dim[0] 0":         {good(dims(0)), "dim[0] is 0"},
		"dim[0] 8":         {good(dims(8)), "dim[0] is 8"},
		"dim[0] 200":       {good(dims(200)), "dim[0] is 200"},
		"dim[0] -1":        {good(dims(-1)), "dim[0] is -1"},
		"dim[1] 0":         {good(dims(3, 0)), "dim[1] is 0"},
		"dim[1] negative":  {good(dims(3, -2)), "dim[1] is -2"},
		"vector without n": {good(dims(3, -1, 1, 1)), "dim[1] is 0"},
		"product":          {good(dims(7, 32767, 32767, 32767, 32767, 32767, 32767, 32767)), "allowed"},
		"product of 2":     {large2, "allowed"},
		"declares 18 GB":   {good(dims(5, 32767, 32767, 17, 1, 1))[:377-17], "allowed"},
		"more than held":   {good(dims(3, 100, 100, 100)), "needs a file of 1000352 bytes, it has 360"},
		"vox_offset 0":     {offset(0), "begin at byte 0"},
		"vox_offset 348":   {offset(348), "begin at byte 348"},
		"vox_offset NaN":   {offset(math.NaN()), "begin at byte NaN"},
		"vox_offset 1e30":  {offset(1e30), "begin at byte 1"},
		"vox_offset < 0":   {offset(-352), "begin at byte -352"},
		"vox_offset .5":    {offset(352.5), "begin at byte 352.5"},
		"past the end":     {offset(4096), "needs a file"},
		"type 0":           {kind(0, 8), "type 0"},
		"type binary":      {kind(1, 1), "BINARY"},
		"type RGB":         {kind(128, 24), "RGB24"},
		"type complex":     {kind(32, 64), "COMPLEX64"},
		"type float128":    {kind(1536, 128), "FLOAT128"},
		"bitpix":           {kind(4, 8), "INT16 has 16 bits, the header says 8"},
		"affine":           {good(func(b []byte) { i16(b, 254, 1); f32(b, 280, math.NaN()) }), "sform is not finite"},
		"inter":            {good(func(b []byte) { f32(b, 112, 1); f32(b, 116, math.Inf(1)) }), "scl_inter"},
		"gz truncated":     {gzipped(good(nil))[:40], "end after"},
		"gz checksum":      {spoil(gzipped(good(nil)), -6), "damaged"},
		"gz short":         {gzipped(good(nil)[:355]), "end after 3 of 8"},
		"gz claims":        {gzipped(good(dims(3, 900, 900, 900))), "can hold"},
		"gz bomb":          {gzipped(append(good(nil), make([]byte, 32<<20)...)), "follow the numbers"},
		"plain tail":       {append(good(nil), make([]byte, 2<<20)...), "follow the numbers"},
	} {
		fuzztest.Run(t, 4, c.data, func() {
			_, err := Parse(c.data, nil, "x.nii")
			require.ErrorContains(t, err, c.part, why)
			assert.Equal(t, fault.BadData, fault.KindOf(err), why)
		})
	}
}

func spoil(b []byte, at int) []byte {
	b[len(b)+at] ^= 0xff
	return b
}

// What looks odd but is right.
func TestOddButRight(t *testing.T) {
	flag := good(func(b []byte) { b[348] = 1 }) // says that extensions follow, and none do
	im, err := Parse(flag, nil, "x.nii")
	require.NoError(t, err)
	assert.Empty(t, im.Extensions)

	noBits := good(func(b []byte) { i16(b, 72, 0); b[352] = 5 })
	im, err = Parse(noBits, nil, "x.nii")
	require.NoError(t, err, "bitpix 0")
	assert.EqualValues(t, 5, im.Float32()[0])

	zeroSlope := good(func(b []byte) { f32(b, 112, 0); f32(b, 116, 7); b[352] = 5 })
	im, err = Parse(zeroSlope, nil, "x.nii")
	require.NoError(t, err)
	assert.EqualValues(t, 5, im.Float32()[0], "a slope of 0 means no scaling")
	nanSlope := good(func(b []byte) { f32(b, 112, math.NaN()); b[352] = 5 })
	im, err = Parse(nanSlope, nil, "x.nii")
	require.NoError(t, err)
	assert.EqualValues(t, 5, im.Float32()[0])

	b := good(func(b []byte) { b[355] = 9 })
	members := append(gzipped(b[:200]), gzipped(b[200:])...)
	im, err = Parse(members, nil, "x.nii.gz")
	require.NoError(t, err, "several gzip members are one file")
	assert.EqualValues(t, 9, im.Float32()[3])
}

func TestExtensionsMustFit(t *testing.T) {
	with := func(size uint32) []byte {
		b := good(nil)
		b = append(b[:352:352], append(make([]byte, 32), b[352:]...)...)
		f32(b, 108, 384)
		b[348] = 1
		binary.LittleEndian.PutUint32(b[352:], size)
		binary.LittleEndian.PutUint32(b[356:], 6)
		return b
	}
	im, err := Parse(with(32), nil, "x.nii")
	require.NoError(t, err)
	require.Len(t, im.Extensions, 1)
	assert.Len(t, im.Extensions[0].Data, 24)
	for _, size := range []uint32{1, 7, 33, 48, 0x7fffffff, 0xffffffff} {
		_, err := Parse(with(size), nil, "x.nii")
		require.ErrorContains(t, err, "extension", size)
	}
}

// An extension whose size is no multiple of 16 is read, and so is the one after it, with zeros between
// them or without.
func TestExtensionsOfOddSize(t *testing.T) {
	block := func(size, fill int, text string) []byte {
		b := make([]byte, size+fill)
		binary.LittleEndian.PutUint32(b, uint32(size))
		binary.LittleEndian.PutUint32(b[4:], 6)
		copy(b[8:], text)
		return b
	}
	for _, fill := range []int{0, 12} {
		blocks := append(block(20, fill, "first"), block(32, 0, "second")...)
		b := good(func(b []byte) { b[352] = 7 })
		b = append(b[:352:352], append(blocks, b[352:]...)...)
		f32(b, 108, float64(352+len(blocks)))
		b[348] = 1
		im, err := Parse(b, nil, "x.nii")
		require.NoError(t, err, "%d zeros", fill)
		require.Len(t, im.Extensions, 2)
		assert.Equal(t, "first", string(bytes.TrimRight(im.Extensions[0].Data, "\x00")))
		assert.Equal(t, "second", string(bytes.TrimRight(im.Extensions[1].Data, "\x00")))
		assert.EqualValues(t, 7, im.Float32()[0])
	}
}

func TestReadNeedsBothOfAPair(t *testing.T) {
	dir := t.TempDir()
	header, err := os.ReadFile("testdata/pair.hdr")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(dir+"/x.hdr", header, 0o600))
	for _, name := range []string{"x.hdr", "x.img"} {
		_, err = Read(dir + "/" + name)
		assert.Equal(t, fault.Missing, fault.KindOf(err))
		require.ErrorContains(t, err, "x.img")
	}
	require.NoError(t, os.WriteFile(dir+"/x.img", make([]byte, 10), 0o600))
	_, err = Read(dir + "/x.hdr")
	require.ErrorContains(t, err, "needs a file of 48 bytes, it has 10")
	require.NoError(t, os.WriteFile(dir+"/link.nii", []byte("/annex/objects/SHA256E-s1--ab.nii"), 0o600))
	_, err = Read(dir + "/link.nii")
	assert.Equal(t, fault.Missing, fault.KindOf(err))
	require.ErrorContains(t, err, "datalad get")
	_, err = Read(dir)
	assert.Equal(t, fault.Missing, fault.KindOf(err))
}

func FuzzNIfTI(f *testing.F) {
	fuzztest.Seeds(f, "testdata/*.nii")
	fuzztest.Seeds(f, "testdata/u*.nii.gz")
	f.Fuzz(func(t *testing.T, input []byte) {
		most := 64
		if bytes.HasPrefix(input, []byte{0x1f, 0x8b}) {
			most = 8192 // deflate's best, and the numbers
		}
		fuzztest.Run(t, most, input, func() {
			im, err := Parse(input, nil, "fuzz")
			if err != nil {
				return
			}
			n := 1
			for _, d := range im.Dim {
				n *= d
			}
			require.Len(t, im.Float32(), n)
			_, _ = im.Labels()
		})
	})
}
