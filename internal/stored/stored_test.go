package stored

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/elements"
	"github.com/brainwavlm/bwlm/internal/faulttest"
	"github.com/brainwavlm/bwlm/internal/inputfile"
)

// array makes the elements 0, 1, 2, ... (counted by rows) of an array as bytes in its order, behind some others.
func array(t *testing.T, a Array, ahead int) []byte {
	t.Helper()
	size, err := a.Bytes()
	require.NoError(t, err)
	n := int(size) / a.DType.Size()
	byRows := make([]float64, n)
	for i := range byRows {
		byRows[i] = float64(i)
	}
	if a.ByColumns {
		index, stored := make([]int, len(a.Shape)), make([]float64, n)
		for i := range n {
			rest := i
			for k := len(a.Shape) - 1; k >= 0; k-- {
				index[k], rest = rest%a.Shape[k], rest/a.Shape[k]
			}
			at, stride := 0, 1
			for k, d := range a.Shape {
				at += index[k] * stride
				stride *= d
			}
			stored[at] = float64(i)
		}
		byRows = stored
	}
	var order binary.AppendByteOrder = binary.LittleEndian
	if a.BigEndian {
		order = binary.BigEndian
	}
	out := bytes.Repeat([]byte{0xff}, ahead)
	for _, x := range byRows {
		switch a.DType {
		case elements.Float64:
			out = order.AppendUint64(out, math.Float64bits(x))
		case elements.Float32:
			out = order.AppendUint32(out, math.Float32bits(float32(x)))
		case elements.Int16:
			out = order.AppendUint16(out, uint16(x))
		case elements.Uint8:
			out = append(out, byte(x))
		}
	}
	return out
}

func plain(err error) error { return err }

// Rows and columns of every order, rank, type and byte order are those that were put in, from a file and from a
// stream.
func TestRowsAndColumnsAreThoseOfTheArray(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, shape := range [][]int{{5}, {5, 3}, {2, 5, 3}, {3, 4, 1}, {1, 1}, {0, 3}} {
		for _, kind := range []elements.Kind{elements.Float64, elements.Float32, elements.Int16, elements.Uint8} {
			for variant := range 8 {
				a := Array{Name: "x", Shape: shape, DType: kind, BigEndian: variant&1 > 0, ByColumns: variant&2 > 0}
				data := array(t, a, 7)
				from := io.ReaderAt(bytes.NewReader(data))
				if variant&4 > 0 {
					from = NewForward(func() (io.Reader, error) { return bytes.NewReader(data), nil }, int64(len(data)))
				}
				r, err := New(a, from, 7, plain)
				require.NoError(t, err)
				value := func(repeat, row, col int) float64 { return float64((repeat*r.Rows+row)*r.Columns + col) }
				for range 10 {
					repeat := random.IntN(r.Repeats)
					lo := random.IntN(r.Rows + 1)
					hi := lo + random.IntN(r.Rows-lo+1)
					rows := make([]float64, (hi-lo)*r.Columns)
					require.NoError(t, ReadRows(r, repeat, lo, hi, rows))
					for k, x := range rows {
						require.Equal(t, value(repeat, lo+k/r.Columns, k%r.Columns), x, "%v %v", a, variant)
					}
					lo = random.IntN(r.Columns + 1)
					hi = lo + random.IntN(r.Columns-lo+1)
					columns := make([]float32, (hi-lo)*r.Rows)
					require.NoError(t, ReadColumns(r, repeat, lo, hi, columns))
					for k, x := range columns {
						require.Equal(t, value(repeat, k%r.Rows, lo+k/r.Rows), float64(x), "%v %v", a, variant)
					}
				}
			}
		}
	}
}

// An array of more than a piece is read whole.
func TestArraysOfManyPiecesAreRead(t *testing.T) {
	a := Array{Name: "x", Shape: []int{300, 1000}, DType: elements.Float32}
	r, err := New(a, bytes.NewReader(array(t, a, 0)), 0, plain)
	require.NoError(t, err)
	out := make([]float32, 300*1000)
	require.NoError(t, ReadRows(r, 0, 0, 300, out))
	columns := make([]float32, 300*1000)
	require.NoError(t, ReadColumns(r, 0, 0, 1000, columns))
	for i := range out {
		require.Equal(t, float32(i), out[i])
		require.Equal(t, float32(i), columns[i%1000*300+i/1000])
	}
}

func TestTruthValuesAreNoughtAndOne(t *testing.T) {
	a := Array{Name: "mask", Shape: []int{3}, DType: elements.Bool}
	r, err := New(a, bytes.NewReader([]byte{1, 0, 2}), 0, plain)
	require.NoError(t, err)
	out := make([]float64, 2)
	require.NoError(t, Elements(r, 0, out))
	require.Equal(t, []float64{1, 0}, out)
	require.ErrorContains(t, Elements(r, 2, out[:1]), "from element 2 on: element 0 is 2, neither false nor true")
}

func TestErrorsNameTheElement(t *testing.T) {
	n := pieceBytes/8 + 10
	data := make([]byte, 8*n)
	binary.LittleEndian.PutUint64(data[8*(n-1):], math.Float64bits(1e300))
	r, err := New(Array{Name: "x", Shape: []int{n}, DType: elements.Float64}, bytes.NewReader(data), 0, plain)
	require.NoError(t, err)
	require.ErrorContains(t, Elements(r, 0, make([]float32, n)), fmt.Sprintf("element %d, 1e+300, is too large", n-1))
	require.NoError(t, Elements(r, 0, make([]float64, n)))

	short, err := New(Array{Name: "x", Shape: []int{n + 1}, DType: elements.Float64}, bytes.NewReader(data), 0,
		func(err error) error { return fmt.Errorf("wrapped: %w", err) })
	require.NoError(t, err)
	err = Elements(short, 0, make([]float64, n+1))
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.ErrorContains(t, err, "wrapped: ")
	_, err = New(Array{Name: "x", Shape: []int{1, 2, 3, 4}, DType: elements.Float64}, nil, 0, plain)
	require.ErrorContains(t, err, "x has 4 dimensions, want one, two or three")
	_, err = New(Array{Name: "x", Shape: []int{1 << 40, 1 << 40}, DType: elements.Float64}, nil, 0, plain)
	require.ErrorContains(t, err, "overflow")
}

// A stream is opened once for reads that go forward, and again for one that goes back.
func TestForwardOpensTheStreamAsSeldomAsItCan(t *testing.T) {
	opened := 0
	f := NewForward(func() (io.Reader, error) {
		opened++
		return bytes.NewReader([]byte("0123456789")), nil
	}, 10)
	for _, c := range []struct {
		at, n  int
		want   string
		opened int
	}{{0, 2, "01", 1}, {2, 1, "2", 1}, {5, 5, "56789", 1}, {9, 1, "9", 2}, {0, 1, "0", 3}, {3, 0, "", 3}} {
		p := make([]byte, c.n)
		n, err := f.ReadAt(p, int64(c.at))
		require.NoError(t, err)
		require.Equal(t, c.want, string(p[:n]))
		require.Equal(t, c.opened, opened)
	}
}

func TestForwardSeesTheEndOfTheStream(t *testing.T) {
	broken := errors.New("checksum")
	for _, c := range []struct {
		name string
		text string
		end  error
		size int64
		want error
	}{
		{"sound", "0123", io.EOF, 4, nil},
		{"a wrong checksum", "0123", broken, 4, broken},
		{"a wrong checksum that is not reached", "01234", broken, 5, nil},
		{"longer", "01234", io.EOF, 4, ErrLong},
		{"of unknown length", "01234", io.EOF, -1, nil},
		{"shorter", "012", io.EOF, 4, ErrCut},
		{"cut", "012", io.ErrUnexpectedEOF, 4, ErrCut},
	} {
		f := NewForward(func() (io.Reader, error) {
			return io.MultiReader(bytes.NewReader([]byte(c.text)), failing{c.end}), nil
		}, c.size)
		err := inputfile.Fill(f, make([]byte, 4), 0)
		require.ErrorIs(t, err, c.want, c.name)
	}
	f := NewForward(func() (io.Reader, error) { return nil, broken }, 4)
	_, err := f.ReadAt(make([]byte, 4), 0)
	require.ErrorIs(t, err, broken)
	f = NewForward(func() (io.Reader, error) { return bytes.NewReader(nil), nil }, 4)
	_, err = f.ReadAt(make([]byte, 1), 3)
	require.ErrorIs(t, err, ErrCut, "what is skipped")
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestChoose(t *testing.T) {
	matrix := func(name string) Array { return Array{Name: name, Shape: []int{12, 7}, DType: elements.Float64} }
	vector := Array{Name: "v", Shape: []int{7}, DType: elements.Float64}
	whole := Array{Name: "i", Shape: []int{12, 7}, DType: elements.Int16}
	many := make([]Array, 30)
	for i := range many {
		many[i] = matrix(fmt.Sprint("m", i))
	}
	for _, c := range []struct {
		name, asked string
		arrays      []Array
		others      []Other
		want        string
		refused     string
	}{
		{name: "the only matrix", arrays: []Array{vector, matrix("a"), whole}, want: "a"},
		{name: "several repeats", arrays: []Array{{Name: "r", Shape: []int{2, 3, 4}, DType: elements.Float32}},
			want: "r"},
		{name: "a text beside it", arrays: []Array{matrix("a")}, others: []Other{{Name: "t", What: "text"}}, want: "a"},
		{name: "two", arrays: []Array{matrix("a"), matrix("b")},
			refused: "holds more than one array that can be meant; name one of them: a (12, 7) float64; b (12, 7)"},
		{name: "complex numbers beside it", arrays: []Array{matrix("a")},
			others:  []Other{{Name: "z", What: "an array of complex numbers", Data: true}},
			refused: "can be meant; z is an array of complex numbers; name one of them: a (12, 7) float64"},
		{name: "integers", arrays: []Array{whole, vector},
			refused: "no array of floats of two or three dimensions; name one of them: i (12, 7) int16; v (7) float64"},
		{name: "four dimensions", arrays: []Array{{Name: "f", Shape: []int{2, 2, 2, 2}, DType: elements.Float64}},
			refused: "no array of floats of two or three"},
		{name: "sparse", others: []Other{{Name: "sp", What: "a sparse matrix", Data: true}, {Name: "c",
			What: "a cell"}},
			refused: "x.mat: holds no array that can be read; sp is a sparse matrix; c is a cell; save the numbers"},
		{name: "nothing", refused: "no array of floats"},
		{name: "by name", asked: "i", arrays: []Array{matrix("a"), matrix("b"), whole}, want: "i"},
		{name: "by the name of something else", asked: "sp", arrays: []Array{matrix("a")},
			others:  []Other{{Name: "sp", What: "a sparse matrix"}},
			refused: "x.mat:sp: is a sparse matrix, want an array of numbers; name one of them: a (12, 7) float64"},
		{name: "by a name that is not there", asked: "y", arrays: []Array{matrix("a")},
			refused: "x.mat:y: there is no such array; name one of them: a"},
		{name: "of many", arrays: many, refused: "m19 (12, 7) float64; …"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := Choose("read", "x.mat", c.asked, c.arrays, c.others)
			if c.refused != "" {
				faulttest.Require(t, fault.BadData, err, c.refused)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.want, a.Name)
		})
	}
}
