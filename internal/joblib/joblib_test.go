package joblib

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/labtest"
	"github.com/brainwavlm/bwlm/internal/stored"
)

func open(t testing.TB, path string) *File {
	t.Helper()
	f, err := Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	return f
}

// values reads an array row by row, whatever its order in the file.
func values(t testing.TB, f *File, name string) []float64 {
	t.Helper()
	r, err := f.Reader(name)
	require.NoError(t, err)
	out := make([]float64, r.Repeats*r.Rows*r.Columns)
	for repeat := range r.Repeats {
		require.NoError(t, stored.ReadRows(r, repeat, 0, r.Rows, out[repeat*r.Rows*r.Columns:]))
	}
	return out
}

// quarters are the elements of the arrays in testdata.
func quarters(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = float64(i) / 4
	}
	return out
}

// The verdict on each genuine file, and values equal to what was put in.
func TestVerdicts(t *testing.T) {
	verdicts := labtest.Verdicts(t, "joblib/*", "old/joblib*")
	require.Len(t, verdicts, 20)
	shape, x := labtest.Truth(t, "X")
	_, repeats := labtest.Truth(t, "R")
	mean := make([]float64, len(x)) // of the repeats
	for i := range mean {
		mean[i] = (repeats[i] + repeats[len(x)+i] + repeats[2*len(x)+i]) / 3
	}
	for file, verdict := range verdicts {
		t.Run(file, func(t *testing.T) {
			path := filepath.Join(labtest.Dir(t), file)
			switch {
			case verdict == "refuse: object array":
				_, err := Open(path)
				faulttest.Require(t, fault.BadData, err, "read joblib file: "+path+": ", "holds an object array")
			case verdict == "read as clocks":
				clocks, err := open(t, path).Clocks()
				require.NoError(t, err)
				require.Len(t, clocks, 2)
				for i, name := range []string{"souls.0", "avatar.0"} {
					c := clocks[i]
					require.Equal(t, name, c.Name)
					require.Equal(t, []float64{10, -1, 2}, []float64{c.SoundStart, c.SoundStop, c.TR})
					require.Len(t, c.Times, []int{27, 23}[i])
					for k, at := range c.Times {
						require.Equal(t, 2*float64(k), at)
					}
				}
			case strings.HasSuffix(file, "rois_S03.jbl"):
				f := open(t, path)
				require.Equal(t, []float64{0, 2}, values(t, f, "AC"))
				require.Equal(t, []float64{1}, values(t, f, "IFG"))
			case verdict == "read":
				f := open(t, path)
				require.NotEmpty(t, f.Arrays())
				for _, a := range f.Arrays() {
					from, rows := map[string][]float64{"souls": x, "avatar": x, "wheretheressmoke": mean}[a.Name],
						shape[0]
					if a.Name == "avatar" {
						rows = 8
					}
					require.Equal(t, []int{rows, shape[1]}, a.Shape)
					want := slices.Clone(from[:rows*shape[1]])
					if strings.HasSuffix(file, "/f4.jbl") {
						for i := range want {
							want[i] = float64(float32(want[i]))
						}
					}
					require.Equal(t, want, values(t, f, a.Name), a.Name)
				}
			default:
				t.Fatalf("no test of the verdict %q", verdict)
			}
		})
	}
}

var compressions = map[string]string{"plain": "", "zlib": "zlib", "gzip": "gzip", "bzip2": "bzip2", "lzma": "LZMA",
	"xz": "xz", "lz4": "LZ4"}

// Rows in order come from one pass over a compressed file, in any order with more, and are the same.
func TestEveryCompressionIsRead(t *testing.T) {
	for name, packing := range compressions {
		f := open(t, filepath.Join("testdata", "stories_"+name+".jbl"))
		require.Equal(t, packing, f.Compression())
		require.Equal(t, "souls (5, 3) float64", f.Arrays()[0].String())
		require.Equal(t, quarters(6), values(t, f, "avatar"), name)
		require.Equal(t, quarters(15), values(t, f, "souls"), name)
		r, err := f.Reader("souls")
		require.NoError(t, err)
		row := make([]float32, 3)
		for _, k := range []int{4, 0, 2, 3} {
			require.NoError(t, stored.ReadRows(r, 0, k, k+1, row))
			require.Equal(t, float32(3*k)/4, row[0])
		}
	}
}

// An uncompressed array can be mapped where its offset says.
func TestOffsetsAreThoseOfTheElements(t *testing.T) {
	path := filepath.Join("testdata", "stories_plain.jbl")
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	for _, a := range open(t, path).Arrays() {
		require.Zero(t, a.Offset%16, "joblib aligns")
		for k := range 6 {
			bits := data[a.Offset+8*int64(k):][:8]
			x, err := elements.Numbers[float64](bits, elements.Float64)
			require.NoError(t, err)
			require.Equal(t, float64(k)/4, x[0])
		}
	}
	for _, a := range open(t, filepath.Join("testdata", "stories_zlib.jbl")).Arrays() {
		require.Equal(t, int64(-1), a.Offset)
	}
}

func TestTypesOrdersAndNamesAreThoseOfTheFile(t *testing.T) {
	f := open(t, filepath.Join("testdata", "kinds.jbl"))
	found := map[string]stored.Array{}
	for _, a := range f.Arrays() {
		found[a.Name] = a
	}
	require.Equal(t, []string{"7", "b1", "empty", "fortran", "ordered.a", "runs.0", "runs.1.0", "scalar", "types.<f2",
		"types.<f4", "types.<i2", "types.<u4", "types.>f4", "types.>f8", "types.>i2", "types.>i8", "types.i1",
		"types.u1"},
		slices.Sorted(maps.Keys(found)))
	for name, a := range found {
		switch {
		case strings.HasPrefix(name, "types."):
			want := quarters(15)
			for i := range want {
				want[i] *= 4
			}
			require.Equal(t, want, values(t, f, name), name)
			require.Equal(t, name[6] == '>', a.BigEndian, name)
		case name == "b1":
			require.Equal(t, []float64{0, 0, 0, 0, 0, 1, 1}, values(t, f, name)[:7])
		case name == "fortran", name == "runs.0", name == "ordered.a":
			require.Equal(t, quarters(15), values(t, f, name), name)
			require.Equal(t, name == "fortran", a.ByColumns)
		case name == "7":
			require.Equal(t, []float64{0, .75, 1.5, 2.25, 3}, values(t, f, name))
		case name == "empty":
			require.Equal(t, []int{0, 3}, a.Shape)
			require.Empty(t, values(t, f, name))
		case name == "scalar":
			require.Empty(t, a.Shape)
		}
	}
	var others []string
	for _, o := range f.Others() {
		others = append(others, fmt.Sprint(o.Name, " is ", o.What, " ", o.Data))
	}
	require.Equal(t, []string{"text is text false", "bytes is text false",
		"complex is an array of complex numbers true",
		"dates is an array of dates false", "wide is an array of floats of 16 bytes true"}, others)
	_, err := f.Reader("complex")
	faulttest.Require(t, fault.BadData, err,
		"kinds.jbl:complex: is an array of complex numbers, want an array of numbers",
		"name one of them: types.i1 (5, 3) int8")
	_, err = f.Reader("scalar")
	faulttest.Require(t, fault.BadData, err, "scalar has 0 dimensions")

	one := open(t, filepath.Join("testdata", "one.jbl"))
	require.Equal(t, "array", one.Arrays()[0].Name)
	require.Equal(t, quarters(15), values(t, one, ""))
}

// Pickles by NumPy itself, whose elements are bytes of the pickle (in protocol 2 a text).
func TestPlainPicklesAreRead(t *testing.T) {
	for protocol := 2; protocol <= 5; protocol++ {
		path := filepath.Join("testdata", fmt.Sprintf("pickle%d.pkl", protocol))
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		f := open(t, path)
		var list []string
		for _, a := range f.Arrays() {
			list = append(list, a.Name)
			n := 15
			if a.Name == "empty" {
				n = 0
				require.Equal(t, []int{0, 3}, a.Shape)
			}
			require.Equal(t, quarters(n), values(t, f, a.Name), "%s %d", a.Name, protocol)
			require.Equal(t, a.Name == "fortran", a.ByColumns)
			require.Equal(t, protocol > 2, a.Offset >= 0)
			if a.Name == "souls" && protocol > 2 {
				require.Equal(t, []byte{0, 0, 0, 0, 0, 0, 0xd0, 0x3f}, data[a.Offset+8:a.Offset+16], "0.25")
			}
		}
		require.Equal(t, []string{"souls", "fortran", "same.0", "empty"}, list)
	}
}

func TestClocksAreRead(t *testing.T) {
	clocks, err := open(t, filepath.Join("testdata", "clocks.jbl")).Clocks()
	require.NoError(t, err)
	require.Equal(t, []Clock{
		{"souls.0", []float64{0, 2, 4, 6}, 10, -1, 2},
		{"souls.1", []float64{0, 2, 4}, 10, -1, 2},
		{"avatar.0", []float64{0, 2, 4}, 10, -1, 2}, // its times are an array
	}, clocks)
}

func TestOtherFilesAreNamedForWhatTheyAre(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	for _, c := range []struct {
		path, why string
		kind      fault.Kind
	}{
		{filepath.Join("testdata", "objects.jbl"), "holds an object array", fault.BadData},
		{filepath.Join("testdata", "records.jbl"), "makes a numpy.rec.recarray, which is neither", fault.BadData},
		{filepath.Join("testdata", "masked.jbl"), "makes a numpy.ma", fault.BadData},
		{filepath.Join("testdata", "namespace.jbl"), "makes a types.SimpleNamespace", fault.BadData},
		{put("a.jbl", "\x89HDF\r\n\x1a\n"), "is an HDF5 file, want a joblib file", fault.BadData},
		{put("b.jbl", "\x93NUMPY\x01\x00"), "is a .npy file, want a joblib file", fault.BadData},
		{put("c.jbl", "ZF0x10 "), "as joblib did before version 0.10; load it where it was made", fault.BadData},
		{put("d.jbl", "hello"), "holds no pickle of protocol 2 to 5", fault.BadData},
		{put("e.jbl", ""), "holds no pickle", fault.BadData},
		{put("f.jbl", "/annex/objects/MD5E-s1--0.jbl\n"), "git-annex link without content", fault.Missing},
		{filepath.Join(dir, "none.jbl"), "no such file", fault.Missing},
		{dir, "is a folder", fault.BadData},
		{put("g.jbl", "\x80\x02cbuiltins\neval\n."),
			"at byte 2: makes a builtins.eval, which is neither an array nor a " +
				"plain value; do not open it", fault.BadData},
		{put("h.jbl", "\x80\x02cjoblib.numpy_pickle_compat\nNDArrayWrapper\n."), "before version 0.10", fault.BadData},
		{put("i.jbl", "\x80\x02i"), "opcode 0x69, which no file of arrays needs; do not open it", fault.BadData},
	} {
		_, err := Open(c.path)
		faulttest.Require(t, c.kind, err, c.why)
	}
}

// Any cut is an error that is not a panic, and so is or is harmless any flipped bit.
func TestCutAndFlippedFilesAreRefusedOrHarmless(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	read := func(data []byte) (map[string][]float64, error) {
		f, err := decode(bytes.NewReader(data), int64(len(data)), "x.jbl")
		if err != nil {
			return nil, err
		}
		out := map[string][]float64{}
		for _, a := range f.Arrays() {
			r, err := f.Reader(a.Name)
			if err != nil {
				return nil, err
			}
			x := make([]float64, r.Repeats*r.Rows*r.Columns)
			if err := stored.Elements(r, 0, x); err != nil {
				return nil, err
			}
			out[a.Name] = x
		}
		return out, nil
	}
	for name := range compressions {
		data, err := os.ReadFile(filepath.Join("testdata", "stories_"+name+".jbl"))
		require.NoError(t, err)
		want, err := read(data)
		require.NoError(t, err)
		for n := 0; n < len(data); n += 1 + len(data)/100 {
			_, err := read(data[:n])
			require.Error(t, err, "%s cut to %d bytes", name, n)
			require.NotEqual(t, fault.Internal, fault.KindOf(err))
		}
		_, err = read(append(slices.Clone(data), 'x'))
		require.Error(t, err, "%s and a byte", name)
		wrong, tried := 0, 0
		step := map[string]int{"lzma": 29, "bzip2": 29, "xz": 7}[name] // whose windows take time
		for bit := 0; bit < 8*len(data); bit += max(1, step) {
			tried++
			flipped := slices.Clone(data)
			flipped[bit/8] ^= 1 << (bit % 8)
			got, err := read(flipped)
			if err == nil && !same(want, got) {
				wrong++
			}
			sums := map[string]int{"xz": 28, "zlib": 4, "gzip": 8}[name] // at the end
			if bit/8 >= len(data)-sums {
				require.Error(t, err, "%s, bit %d", name, bit)
			}
		}
		t.Logf("%s: %d of %d flipped bits change values without an error", name, wrong, tried)
		if name != "plain" && name != "lz4" && name != "lzma" { // which have no checksum
			require.Zero(t, wrong, name)
		}
	}
}

func same(a, b map[string][]float64) bool {
	return maps.EqualFunc(a, b, func(x, y []float64) bool {
		return slices.EqualFunc(x, y, func(x, y float64) bool { return math.Float64bits(x) == math.Float64bits(y) })
	})
}

// A file that is compressed in several blocks and frames with all their checksums is read.
func TestBlocksAndFrames(t *testing.T) {
	linked := values(t, open(t, filepath.Join("testdata", "linked.jbl")), "souls")
	require.Len(t, linked, 30000)
	for i, x := range linked {
		require.Equal(t, float64(i%7)/4, x)
	}
	plain, err := os.ReadFile(filepath.Join("testdata", "stories_plain.jbl"))
	require.NoError(t, err)
	blocks := packXZ(t, plain, 100)
	x, err := decode(bytes.NewReader(blocks), int64(len(blocks)), "x.jbl")
	require.NoError(t, err)
	require.Equal(t, quarters(15), values(t, x, "souls"))
	le := binary.LittleEndian
	other := slices.Clone(blocks) // whose index, with the right checksum, has another size
	index := other[len(other)-12-4*(1+int(le.Uint32(other[len(other)-8:]))) : len(other)-12]
	index[2] ^= 1
	le.PutUint32(index[len(index)-4:], crc32.ChecksumIEEE(index[:len(index)-4]))
	_, err = decode(bytes.NewReader(other), int64(len(other)), "x.jbl")
	faulttest.Require(t, fault.BadData, err, "xz: the container is damaged")
	sum := make([]byte, 0, 4)
	for k := range 4 {
		sum = append(sum, byte(hash32(plain)>>(8*k)))
	}
	frame := "\x04\x22\x4d\x18\x44\x40" // a checksum of the content, blocks of at most 64 KiB that refer back
	frame += string([]byte{byte(hash32([]byte("\x44\x40")) >> 8)})
	size := len(plain)
	block := string([]byte{byte(size), byte(size >> 8), 0, 0x80}) + string(plain) // stored
	data := frame + block + "\x00\x00\x00\x00" + string(sum)
	f, err := decode(strings.NewReader(data), int64(len(data)), "x.jbl")
	require.NoError(t, err)
	require.Equal(t, quarters(15), values(t, f, "souls"))
	bad := []byte(data)
	bad[len(bad)-1] ^= 1
	_, err = decode(bytes.NewReader(bad), int64(len(bad)), "x.jbl")
	faulttest.Require(t, fault.BadData, err, "LZ4: ", "the checksum of the frame is wrong")
}

// A block of LZ4 may refer 65535 bytes back, into the block before it.
func TestBlocksReferFarBack(t *testing.T) {
	first := make([]byte, 1<<16)
	for i := range first {
		first[i] = byte(i * i >> 7)
	}
	frame := "\x04\x22\x4d\x18\x40\x40" + string([]byte{byte(hash32([]byte("\x40\x40")) >> 8)})
	second := "\x10x\xff\xff" + "\x50abcde" // a letter, 4 bytes from 65535 bytes back, 5 letters
	frame += "\x00\x00\x01\x80" + string(first) + string([]byte{byte(len(second)), 0, 0, 0}) + second
	frame += "\x00\x00\x00\x00"
	r, err := newLZ4(bufio.NewReader(strings.NewReader(frame)), 0)
	require.NoError(t, err)
	out, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Equal(t, "x"+string(first[2:6])+"abcde", string(out[1<<16:]))
	require.Equal(t, first, out[:1<<16])
}

func TestChecksumOfLZ4(t *testing.T) {
	// The values of the reference implementation, github.com/Cyan4973/xxHash.
	for text, want := range map[string]uint32{"": 0x02cc5d05, "a": 0x550d7456, "abc": 0x32d153ff,
		"Nobody inspects the spammish repetition": 0xe2293b2f} {
		require.Equal(t, want, hash32([]byte(text)), text)
		var x xxh32
		x.reset()
		for i := range text {
			x.write([]byte{text[i]})
		}
		require.Equal(t, want, x.sum(), "byte by byte")
	}
}

// packXZ compresses by the module that decodes.
func packXZ(t testing.TB, data []byte, block int64) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := xz.WriterConfig{DictCap: 1 << 20, BlockSize: block}.NewWriter(&out)
	require.NoError(t, err)
	_, err = w.Write(data)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return out.Bytes()
}

// What would expand without end is refused before it does.
func TestBombsAreRefused(t *testing.T) {
	// Highly compressible content that claims to be an array of 8 MiB.
	var body bytes.Buffer
	body.WriteString("\x80\x02}U\x01acjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(U\x08subclasscnumpy\nndarray\n" +
		"U\x05shapeJ\x00\x00\x10\x00\x85U\x05orderU\x01CU\x05dtypecnumpy\ndtype\nU\x02f8\x89\x88\x87R" +
		"(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tbub")
	body.Write(make([]byte, 8<<20))
	body.WriteString("s.")
	data := packXZ(t, body.Bytes(), 1<<25)
	require.Less(t, len(data), 16<<10)
	_, err := decode(bytes.NewReader(data), int64(len(data)), "x.jbl")
	faulttest.Require(t, fault.BadData, err, "xz: expands more than 1100-fold")
	_, err = decode(bytes.NewReader(body.Bytes()), int64(body.Len()), "x.jbl")
	require.NoError(t, err, "the same that is not compressed")
	_, err = decode(io.NewSectionReader(bytes.NewReader(body.Bytes()), 0, int64(body.Len())-9), int64(body.Len())-9,
		"x.jbl")
	faulttest.Require(t, fault.BadData, err, "8388608 bytes are wanted")
}
