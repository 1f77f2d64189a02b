package mat

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/fuzztest"
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

// values reads an array row by row.
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

// The verdict on each genuine file, and values equal to what was put in.
func TestVerdicts(t *testing.T) {
	verdicts := labtest.Verdicts(t, "mat/*")
	require.Len(t, verdicts, 6)
	_, x := labtest.Truth(t, "X")
	_, repeats := labtest.Truth(t, "R")
	for file, verdict := range verdicts {
		f := open(t, filepath.Join(labtest.Dir(t), file))
		_, err := f.Reader("")
		switch verdict {
		case "read":
			require.Equal(t, x, values(t, f, ""), file)
		case "ask for --var":
			faulttest.Require(t, fault.BadData, err, "can be meant", "name one of them: ")
		case "refuse: sparse":
			faulttest.Require(t, fault.BadData, err, "holds no array that can be read; sp is a sparse matrix")
		case "read with --var s.resp":
			faulttest.Require(t, fault.BadData, err, "name one of them: s.resp (12, 7) float64; s.tr (1, 1) float64")
			require.Equal(t, x, values(t, f, "s.resp"))
			require.Equal(t, []float64{2}, values(t, f, "s.tr"))
		default:
			t.Fatalf("no test of the verdict %q", verdict)
		}
		for _, a := range f.Arrays() {
			got := values(t, f, a.Name)
			switch a.Name {
			case "data":
				require.Equal(t, x, got, file)
			case "repeats":
				require.Equal(t, repeats, got, file)
			}
			for i := range x {
				switch a.Name {
				case "f":
					require.Equal(t, float64(float32(x[i])), got[i])
				case "i":
					require.Equal(t, math.Trunc(x[i]*9), got[i])
				case "b":
					require.Equal(t, x[i] > 0, got[i] == 1)
				}
			}
		}
	}
}

// Files by MATLAB itself, of 4.2 (big-endian) to 7.4.
func TestFilesByMATLAB(t *testing.T) {
	dir := filepath.Join(labtest.Dir(t), "real")
	steps := make([]float64, 9)
	for i := range steps {
		steps[i] = float64(i) * math.Pi / 4
	}
	for _, name := range []string{"testdouble_4.2c_SOL2", "testdouble_6.5.1_GLNX86", "testdouble_7.4_GLNX86"} {
		f := open(t, filepath.Join(dir, "scipy_"+name+".mat"))
		require.InDeltaSlice(t, steps, values(t, f, "testdouble"), 1e-15, name)
	}
	matrix := []float64{1, 2, 3, 4, 5, 2, 0, 0, 0, 0, 3, 0, 0, 0, 0}
	require.Equal(t, matrix, values(t, open(t, filepath.Join(dir, "scipy_testmatrix_7.4_GLNX86.mat")), "testmatrix"))
	s := open(t, filepath.Join(dir, "scipy_teststruct_7.4_GLNX86.mat"))
	require.InDeltaSlice(t, []float64{math.Sqrt2, math.E, math.Pi}, values(t, s, "teststruct.doublefield"), 1e-15)
	require.Equal(t, []stored.Other{{Name: "teststruct.stringfield", What: "text"},
		{Name: "teststruct.complexfield", What: "an array of complex numbers", Data: true}}, s.Others())
	big := open(t, filepath.Join(dir, "scipy_big_endian.mat"))
	require.Equal(t, []float64{2, 3, 3, 4}, values(t, big, "floats"))
	_, err := open(t, filepath.Join(dir, "scipy_testsparse_7.4_GLNX86.mat")).Reader("testsparse")
	faulttest.Require(t, fault.BadData, err, "testsparse: is a sparse matrix")
	_, err = Open(filepath.Join(dir, "scipy_testhdf5_7.4_GLNX86.mat"))
	faulttest.Require(t, fault.BadData, err,
		"is a MATLAB file (version 7.3, which is HDF5), want a MATLAB file of version 4 or 5")
	_, err = Open(filepath.Join(dir, "pytables_matlab_file.mat"))
	faulttest.Require(t, fault.BadData, err, "HDF5")
}

func TestEveryKindOfVariableIsReadOrNamed(t *testing.T) {
	for _, file := range []string{"plain", "compressed", "version4"} {
		path := filepath.Join("testdata", file+".mat")
		data, err := os.ReadFile(path)
		require.NoError(t, err)
		f := open(t, path)
		var list, others []string
		for _, a := range f.Arrays() {
			list = append(list, a.String())
			got := values(t, f, a.Name)
			for i, x := range got {
				want := float64(i) / 4
				switch {
				case strings.HasPrefix(a.Name, "t_"):
					want *= 4
				case a.Name == "repeats":
					want = float64(i%15)/4 + 4*float64(i/15)
				case a.Name == "mask":
					want = map[bool]float64{true: 1}[want > 1]
				case a.Name == "s.tr":
					want = 2
				}
				require.Equal(t, want, x, "%s:%s %d", file, a.Name, i)
			}
			require.True(t, a.ByColumns)
			require.Equal(t, file != "compressed", a.Offset > 0, a.Name)
			if a.Name == "a" && file != "compressed" {
				require.Equal(t, .75, math.Float64frombits(binary.LittleEndian.Uint64(data[a.Offset+8:])),
					"mapped by columns")
			}
		}
		for _, o := range f.Others() {
			others = append(others, o.Name+" is "+o.What)
		}
		if file == "version4" {
			require.Equal(t, []string{"a (5, 3) float64", "t_i2 (5, 3) int16", "t_u1 (5, 3) uint8",
				"t_f4 (5, 3) float32",
				"t_i4 (5, 3) int32", "t_u2 (5, 3) uint16"}, list)
			require.Equal(t, []string{"z is an array of complex numbers", "sp is a sparse matrix", "text is text"},
				others)
			continue
		}
		require.Equal(t, []string{"a (5, 3) float64", "repeats (2, 5, 3) float64", "mask (5, 3) bool",
			"s.resp (5, 3) float64",
			"s.tr (1, 1) float64", "s.in.deep (2, 3) float64", "nothing (0, 3) float64", "t_i1 (5, 3) int8",
			"t_u1 (5, 3) uint8", "t_i2 (5, 3) int16", "t_u2 (5, 3) uint16", "t_i4 (5, 3) int32", "t_u4 (5, 3) uint32",
			"t_i8 (5, 3) int64", "t_u8 (5, 3) uint64", "t_f4 (5, 3) float32", "t_f8 (5, 3) float64"}, list)
		require.Equal(t, []string{"text is text", "cells is a cell array", "z is an array of complex numbers",
			"sp is a sparse matrix", "s.name is text", "many is an array of several structs"}, others)
	}
	one := open(t, filepath.Join("testdata", "one.mat"))
	require.Equal(t, 3.5, values(t, one, "")[14], "the only array")
}

// What follows makes files of version 5 in either order of bytes.
type maker struct{ binary.ByteOrder }

func (m maker) header() string {
	if m.ByteOrder == binary.BigEndian {
		return "MATLAB 5.0 MAT-file" + strings.Repeat(" ", 105) + "\x01\x00MI"
	}
	return "MATLAB 5.0 MAT-file" + strings.Repeat(" ", 105) + "\x00\x01IM"
}

func (m maker) element(kind uint32, data string) string {
	tag := make([]byte, 8)
	m.PutUint32(tag, kind)
	m.PutUint32(tag[4:], uint32(len(data)))
	return string(tag) + data + strings.Repeat("\x00", -len(data)&7)
}

func (m maker) small(kind uint32, data string) string {
	tag := make([]byte, 4)
	m.PutUint32(tag, kind|uint32(len(data))<<16)
	return string(tag) + data + strings.Repeat("\x00", 4-len(data))
}

func (m maker) numbers(list any) string {
	b := new(bytes.Buffer)
	_ = binary.Write(b, m.ByteOrder, list)
	return b.String()
}

// matrix is the content of a variable.
func (m maker) matrix(class uint32, shape []int32, name, rest string) string {
	return m.element(miUint32, m.numbers([]uint32{class, 0})) + m.element(miInt32, m.numbers(shape)) +
		m.element(miInt8, name) + rest
}

func (m maker) variable(content string) string { return m.element(miMatrix, content) }

func packed(data string) string {
	b := new(bytes.Buffer)
	w := zlib.NewWriter(b)
	_, _ = w.Write([]byte(data))
	_ = w.Close()
	return b.String()
}

func (m maker) compressed(content string) string {
	data := packed(m.variable(content))
	tag := make([]byte, 8)
	m.PutUint32(tag, miCompressed)
	m.PutUint32(tag[4:], uint32(len(data)))
	return string(tag) + data
}

var little, big = maker{binary.LittleEndian}, maker{binary.BigEndian}

func decoded(data string) (*File, error) {
	return decode(strings.NewReader(data), int64(len(data)), "x.mat")
}

// MATLAB keeps numbers in the smallest type that holds them; both orders of bytes, small elements, names in small
// elements, and compressed variables of either are read.
func TestOrdersOfBytesAndStoredTypes(t *testing.T) {
	for _, m := range []maker{little, big} {
		narrow := m.matrix(6, []int32{2, 2}, "narrow", m.small(2, "\x01\x02\x03\x04"))
		wide := m.matrix(6, []int32{1, 2}, "wide", m.element(9, m.numbers([]float64{1.5, 2})))
		half := m.element(miUint32, m.numbers([]uint32{6, 0})) + m.element(miInt32, m.numbers([]int32{1, 1})) +
			m.small(miInt8, "abc") + m.small(3, m.numbers(int16(-2)))
		f, err := decoded(m.header() + m.variable(narrow) + m.compressed(wide) + m.variable(half) + m.variable(
			m.matrix(7, []int32{1, 1}, "last", m.small(7, m.numbers(float32(.5))))))
		require.NoError(t, err)
		require.Equal(t, []float64{1, 3, 2, 4}, values(t, f, "narrow"))
		require.Equal(t, elements.Float64, f.Arrays()[0].DType)
		require.Equal(t, int64(-1), f.Arrays()[0].Offset, "which is no float64 there")
		require.Equal(t, []float64{1.5, 2}, values(t, f, "wide"))
		require.Equal(t, []float64{-2}, values(t, f, "abc"))
		require.Equal(t, []float64{.5}, values(t, f, "last"))
		require.Positive(t, f.Arrays()[3].Offset)
	}
}

// Two readers of compressed variables may take turns.
func TestReadersTakeTurns(t *testing.T) {
	f := open(t, filepath.Join("testdata", "compressed.mat"))
	a, err := f.Reader("a")
	require.NoError(t, err)
	b, err := f.Reader("repeats")
	require.NoError(t, err)
	for c := range 3 {
		x, y := make([]float64, 5), make([]float64, 5)
		require.NoError(t, stored.ReadColumns(a, 0, c, c+1, x))
		require.NoError(t, stored.ReadColumns(b, 1, c, c+1, y))
		for k := range 5 {
			require.Equal(t, float64(3*k+c)/4, x[k])
			require.Equal(t, float64(3*k+c)/4+4, y[k])
		}
	}
}

// version4 makes a variable of version 4.
func version4(m maker, mopt, rows, columns, imaginary int32, name, data string) string {
	return m.numbers([]int32{mopt, rows, columns, imaginary, int32(len(name)) + 1}) + name + "\x00" + data
}

func TestVersion4OfEitherOrder(t *testing.T) {
	for m, mopt := range map[maker]int32{little: 0, big: 1000} {
		f, err := decoded(version4(m, mopt, 2, 1, 0, "a", m.numbers([]float64{1, 2})) +
			version4(m, mopt+30, 1, 2, 0, "b", m.numbers([]int16{-1, 5})) + version4(m, mopt+51, 1, 1, 0, "t", "x"))
		require.NoError(t, err)
		require.Equal(t, []float64{1, 2}, values(t, f, ""))
		require.Equal(t, []float64{-1, 5}, values(t, f, "b"))
		require.Equal(t, "text", f.Others()[0].What)
	}
}

// read reads all that a file holds.
func read(data []byte) error {
	f, err := decode(bytes.NewReader(data), int64(len(data)), "x.mat")
	if err != nil {
		return err
	}
	left := 1 << 16
	for _, t := range f.texts {
		if left -= int(min(1<<16, t.end-t.at)) + 1<<10; left < 0 {
			return nil
		}
		if _, err := f.Text(t.name); err != nil {
			return err
		}
	}
	for _, a := range f.Arrays() {
		r, err := f.Reader(a.Name)
		if err != nil || r.Rows > left || r.Repeats*r.Rows > left || r.Columns > left/max(1, r.Repeats*r.Rows) {
			continue
		}
		left -= r.Repeats * r.Rows * r.Columns
		if left -= 1 << 10; left < 0 {
			break
		}
		out := make([]float64, r.Rows*r.Columns)
		if r.Repeats == 0 {
			continue
		}
		if err := stored.ReadColumns(r, 0, 0, r.Columns, out); err != nil {
			return err
		}
	}
	return nil
}

func TestHostileFilesAreRefused(t *testing.T) {
	m := little
	one := m.element(9, m.numbers(1.5))
	matrix := func(shape []int32, rest string) string { return m.variable(m.matrix(6, shape, "a", rest)) }
	flags := m.element(miUint32, m.numbers([]uint32{6, 0}))
	dims := m.element(miInt32, m.numbers([]int32{1, 1}))
	deep := m.matrix(6, []int32{1, 1}, "", one)
	for range maxDepth + 1 {
		deep = m.matrix(classStruct, []int32{1, 1}, "s", m.small(miInt32, m.numbers(int32(2)))+m.element(miInt8,
			"f\x00")+
			m.variable(deep))
	}
	two := m.numbers([]float64{1, 2})
	broken := []byte(m.compressed(m.matrix(6, []int32{1, 1}, "a", one)))
	broken[len(broken)-1] ^= 1
	_, err := decoded(m.header() + string(broken))
	faulttest.Require(t, fault.BadData, err, "checksum") // although nothing of it is read
	claim := packed(m.numbers([]uint32{miMatrix, 1 << 30}))
	require.NoError(t, read([]byte(m.header()+matrix([]int32{1, 1}, one))))
	for name, c := range map[string]struct{ data, why string }{
		"empty":         {"", "is not a MATLAB file of version 4 or 5"},
		"text":          {"hello, this is a text that is long enough", "is not a MATLAB file"},
		"npy":           {"\x93NUMPY\x01\x00", "is a .npy file, want a MATLAB file of version 4 or 5"},
		"version 5.2":   {strings.Replace(m.header(), "\x00\x01IM", "\x00\x02IM", 1), "is not a MATLAB file"},
		"no variable":   {m.header(), "holds no variable"},
		"cut tag":       {m.header() + "\x0e\x00\x00", "ends within an element"},
		"too long":      {m.header() + m.numbers([]uint32{miMatrix, 9}), "an element of 9 bytes, there are 0"},
		"long small":    {m.header() + m.numbers([]uint32{5<<16 | miMatrix, 0}), "a small element of 5 bytes"},
		"no flags":      {m.header() + m.variable(dims), "an element of type 5 with 8 bytes, want type 6"},
		"short flags":   {m.header() + m.variable(m.small(miUint32, "abcd")), "without flags"},
		"no dimensions": {m.header() + m.variable(flags+m.element(miInt8, "a")), "want type 5"},
		"one dimension": {m.header() + m.variable(flags+m.small(miInt32, m.numbers(int32(1)))),
			"dimensions of 4 bytes"},
		"negative":        {m.header() + matrix([]int32{-1, 1}, one), "a dimension is -1"},
		"many":            {m.header() + matrix(make([]int32, 65), one), "at most 256"},
		"shape overflows": {m.header() + matrix([]int32{1 << 30, 1 << 30, 1 << 30}, one), "overflow"},
		"more numbers": {m.header() + matrix([]int32{1, 2}, one),
			"shape [1 2] of float64 needs 16 bytes, there are 8"},
		"fewer numbers": {m.header() + matrix([]int32{1, 1}, m.element(9, two)), "needs 8 bytes, there are 16"},
		"numbers of text": {m.header() + matrix([]int32{1, 1}, m.element(miUTF8, "abcdefgh")),
			"elements of type 16"},
		"unknown class": {m.header() + m.variable(m.matrix(99, []int32{1, 1}, "a", one)), "a is of class 99"},
		"same name": {m.header() + matrix([]int32{1, 1}, one) + matrix([]int32{1, 1}, one),
			"two variables have the name a"},
		"long name": {m.header() + m.variable(m.matrix(6, []int32{1, 1}, strings.Repeat("a", 5000), one)),
			"at most 4096"},
		"deep structs": {m.header() + m.variable(deep), "more than 16 structs"},
		"names of no length": {m.header() + m.variable(m.matrix(2, []int32{1, 1}, "s", m.small(5,
			m.numbers(int32(0))))), "of 0 bytes"},
		"fields of numbers": {m.header() + m.variable(m.matrix(2, []int32{1, 1}, "s", m.small(5,
			m.numbers(int32(1)))+m.element(1, "a")+one)), "a field of type 9"},
		"no stream":         {m.header() + m.element(miCompressed, "abc"), "zlib"},
		"empty stream":      {m.header() + m.element(miCompressed, ""), "ends early"},
		"stream of numbers": {m.header() + m.element(miCompressed, packed(one)), "a compressed element of type 9"},
		"stream of nothing": {m.header() + m.element(miCompressed, packed(m.variable(""))), "of no bytes"},
		"a bomb":            {m.header() + m.element(miCompressed, claim), "claims 1073741824 bytes"},
		"a wrong checksum":  {m.header() + string(broken), "checksum"},
		"a short stream": {m.header() + m.element(miCompressed, packed(m.variable(m.matrix(6, []int32{1, 1}, "a",
			one))[:60])), "ends early"},
		"version 4, cut": {version4(m, 0, 2, 2, 0, "a", two),
			"shape [2 2] of float64 needs 32 bytes, there are 16"},
		"version 4, cut head": {version4(m, 0, 1, 2, 0, "a", two) + "\x00", "ends within its header"},
		"version 4, digits": {version4(m, 4100, 1, 2, 0, "a", two),
			"is not a variable of a MATLAB file of version 4"},
		"version 4, precision": {version4(m, 60, 1, 2, 0, "a", two), "is not a variable"},
		"version 4, a VAX":     {version4(m, 2000, 1, 2, 0, "a", two), "those of a VAX"},
		"version 4, negative":  {version4(m, 0, -1, 2, 0, "a", two), "is not a variable"},
		"version 4, order":     {version4(m, 1000, 1, 2, 0, "a", two), "its order of bytes"},
		"version 4, overflow":  {version4(m, 0, 1<<30, 1<<30, 1, "a", two), "overflow"},
		"version 4, no name":   {version4(m, 0, 1, 2, 0, "", two), "has no name"},
	} {
		t.Run(name, func(t *testing.T) {
			faulttest.Require(t, fault.BadData, read([]byte(c.data)), "read MATLAB file: x.mat", c.why)
		})
	}
}

// Any cut is an error, and so is or is harmless any flipped bit in a compressed variable.
func TestCutAndFlippedFiles(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "one.mat"))
	require.NoError(t, err)
	want := values(t, open(t, filepath.Join("testdata", "one.mat")), "a")
	for n := range data {
		if err := read(data[:n]); err == nil {
			f, err := decode(bytes.NewReader(data[:n]), int64(n), "x.mat")
			require.NoError(t, err)
			require.Len(t, f.Others(), 0, "a cut between two variables, at %d", n)
		}
	}
	wrong := 0
	for bit := 8 * header5; bit < 8*len(data); bit++ {
		flipped := slices.Clone(data)
		flipped[bit/8] ^= 1 << (bit % 8)
		f, err := decode(bytes.NewReader(flipped), int64(len(flipped)), "x.mat")
		if err != nil {
			continue
		}
		r, err := f.Reader("a")
		if err != nil {
			continue
		}
		got := make([]float64, r.Rows*r.Columns)
		if stored.ReadRows(r, 0, 0, r.Rows, got) == nil && !slices.Equal(want, got) {
			wrong++
		}
	}
	t.Logf("%d of %d flipped bits change values without an error", wrong, 8*(len(data)-header5))
	require.Zero(t, wrong)
}

// Any bytes are refused or read, in little memory and time.
func FuzzOpen(f *testing.F) {
	fuzztest.Seeds(f, filepath.Join("testdata", "*.mat"))
	one := big.matrix(6, []int32{1, 1}, "a", big.element(9, big.numbers(1.5)))
	f.Add([]byte(big.header() + big.variable(one) + big.compressed(one)))
	f.Add([]byte(version4(big, 1000, 1, 1, 0, "a", big.numbers(1.5))))
	f.Fuzz(func(t *testing.T, input []byte) {
		fuzztest.RunWith(t, 64, input, 4<<20, func() { // what is read is declared in the file, and 45 KiB a decoder
			if err := read(input); err != nil {
				require.NotEqual(t, fault.Internal, fault.KindOf(err), "%v", err)
			}
		})
	})
}

// Many variables cost little: compressed ones share one decoder.
func TestMemoryOfManyVariables(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	var plain, compressed strings.Builder
	for i := range 2000 {
		name := string([]byte{'a' + byte(i%26), 'a' + byte(i/26%26), 'a' + byte(i/676)})
		content := little.matrix(6, []int32{1, 1}, name, little.small(2, "\x01"))
		plain.WriteString(little.variable(content))
		compressed.WriteString(little.compressed(content))
	}
	for _, text := range []string{plain.String(), compressed.String()} {
		input := []byte(little.header() + text)
		fuzztest.Run(t, 64*poolSlack, input, func() {
			f, err := decode(bytes.NewReader(input), int64(len(input)), "x.mat")
			require.NoError(t, err)
			require.Len(t, f.Arrays(), 2000)
		})
	}
}
