package nifti

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/internal/raw"
)

// Header describes the numbers of an image.
type Header struct {
	Version     int
	Dim         []int         // one to seven; x, y, z, time …
	Affine      [3][4]float64 // from voxel indices, counted from 0, to millimetres: right, anterior, superior
	AffineFrom  string        // sform, qform or pixdim
	Slope       float64       // 1 if there is no scaling
	Inter       float64
	Intent      int
	Description string
	Clock       Clock // of the fourth dimension

	kind   raw.Type
	order  binary.ByteOrder
	offset int64
}

const (
	size1, size2 = 348, 540
	maxRank      = 7
)

func errSize(dim []int, kind raw.Type, want, have int) error {
	return fmt.Errorf("shape %v of %s needs a file of %d bytes, it has %d", dim, kind.Name(), want, have)
}

func errExtension(size, have int) error {
	return fmt.Errorf("an extension declares %d bytes, want 8 to %d", size, have)
}

// ends reads the rest of the stream, which checks its checksum, and refuses more than a little.
func ends(r io.Reader) error {
	n, err := io.Copy(io.Discard, io.LimitReader(r, tail+1))
	if err != nil {
		return fmt.Errorf("the compressed data are damaged: %w", err)
	}
	if n > tail {
		return fmt.Errorf("more than %d bytes follow the numbers that are declared", tail)
	}
	return nil
}

// headSize is the size of the header that begins with b.
func headSize(b []byte) int {
	if binary.LittleEndian.Uint32(b) == size2 || binary.BigEndian.Uint32(b) == size2 {
		return size2
	}
	return size1
}

// version returns the version, 1 or 2, and the byte order of a header.
func version(b []byte) (int, binary.ByteOrder, error) {
	if len(b) < size1 {
		return 0, nil, fmt.Errorf("the file has %d bytes, too few for a header", len(b))
	}
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		switch size := order.Uint32(b); {
		case size == size1 && (bytes.HasPrefix(b[344:], []byte("n+1\x00")) ||
			bytes.HasPrefix(b[344:], []byte("ni1\x00"))):
			return 1, order, nil
		case size == size1:
			return 0, nil, errors.New("this is an ANALYZE file, which does not say which way is left: " +
				"convert it to NIfTI")
		case size == size2 && len(b) >= size2 && (string(b[4:12]) == magic2 || string(b[4:12]) == "ni2\x00\r\n\x1a\n"):
			return 2, order, nil
		}
	}
	return 0, nil, errors.New("this is not a NIfTI file: it begins with neither 348 nor 540")
}

const magic2 = "n+2\x00\r\n\x1a\n"

// fields reads a header of either version by its offsets.
type fields struct {
	b     []byte
	order binary.ByteOrder
	v     int
}

func (f fields) i16(at int) int     { return int(int16(f.order.Uint16(f.b[at:]))) }
func (f fields) i32(at int) int     { return int(int32(f.order.Uint32(f.b[at:]))) }
func (f fields) i64(at int) int64   { return int64(f.order.Uint64(f.b[at:])) }
func (f fields) f32(at int) float64 { return float64(math.Float32frombits(f.order.Uint32(f.b[at:]))) }
func (f fields) f64(at int) float64 { return math.Float64frombits(f.order.Uint64(f.b[at:])) }

// real reads number i of those that begin at byte one in version 1 and at byte two in version 2.
func (f fields) real(one, two, i int) float64 {
	if f.v == 1 {
		return f.f32(one + 4*i)
	}
	return f.f64(two + 8*i)
}

func (f fields) text(at, n int) string {
	text, _, _ := bytes.Cut(f.b[at:at+n], []byte{0})
	return string(text)
}

func parseHeader(b []byte, paired bool) (Header, error) {
	v, order, err := version(b)
	if err != nil {
		return Header{}, err
	}
	f := fields{b, order, v}
	h := Header{Version: v, order: order, Clock: f.clock()}
	if h.Dim, err = f.dim(); err != nil {
		return h, err
	}
	var kind, bits int
	var offset float64
	if v == 1 {
		kind, bits, offset = f.i16(70), f.i16(72), f.f32(108)
		h.Intent, h.Description = f.i16(68), f.text(148, 80)
	} else {
		kind, bits, offset = f.i16(12), f.i16(14), float64(f.i64(168))
		h.Intent, h.Description = f.i32(504), f.text(240, 80)
	}
	h.kind = raw.Type(kind)
	if h.kind.Size() == 0 {
		return h, fmt.Errorf("numbers of %s are not read: want whole or real numbers of 8 to 64 bits", h.kind.Name())
	}
	if bits != 8*h.kind.Size() && bits != 0 { // some programs leave it out
		return h, fmt.Errorf("%s has %d bits, the header says %d", h.kind.Name(), 8*h.kind.Size(), bits)
	}
	least := float64(len(b) + 4)
	if paired {
		least = 0
	}
	if !(offset >= least && offset <= raw.MaxBytes) || offset != math.Trunc(offset) {
		return h, fmt.Errorf("the numbers begin at byte %v, want a whole number from %v", offset, least)
	}
	h.offset = int64(offset)
	h.Slope, h.Inter = f.real(112, 176, 0), f.real(116, 184, 0)
	if h.Slope == 0 || math.IsNaN(h.Slope) || math.IsInf(h.Slope, 0) {
		h.Slope, h.Inter = 1, 0
	}
	if math.IsNaN(h.Inter) || math.IsInf(h.Inter, 0) {
		return h, fmt.Errorf("scl_inter is %v", h.Inter)
	}
	return h, h.place(f)
}

// dim reads the shape.
func (f fields) dim() ([]int, error) {
	number := func(i int) int64 {
		if f.v == 1 {
			return int64(f.i16(40 + 2*i))
		}
		return f.i64(16 + 8*i)
	}
	rank := number(0)
	if rank < 1 || rank > maxRank {
		return nil, fmt.Errorf("dim[0] is %d, want 1 to %d", rank, maxRank)
	}
	dim := make([]int, rank)
	for i := range dim {
		d := number(i + 1)
		if d > raw.MaxBytes {
			return nil, fmt.Errorf("dim[%d] is %d, too large", i+1, d)
		}
		dim[i] = int(d)
	}
	if f.v == 1 && rank >= 3 {
		// FreeSurfer writes vectors of more than 32767 vertices with their length in glmin, and
		// those of fsaverage in three parts.
		switch [3]int(dim[:3]) {
		case [3]int{-1, 1, 1}:
			dim[0] = f.i32(144)
		case [3]int{27307, 1, 6}:
			dim[0], dim[2] = 27307*6, 1
		}
	}
	if i := slices.IndexFunc(dim, func(d int) bool { return d < 1 }); i >= 0 {
		return nil, fmt.Errorf("dim[%d] is %d, want 1 or more", i+1, dim[i])
	}
	return dim, nil
}

// place finds the affine.
func (h *Header) place(f fields) error {
	var q, s int
	if f.v == 1 {
		q, s = f.i16(252), f.i16(254)
	} else {
		q, s = f.i32(344), f.i32(348)
	}
	switch {
	case s > 0:
		h.AffineFrom = "sform"
		for i := range 3 {
			for j := range 4 {
				h.Affine[i][j] = f.real(280, 400, 4*i+j)
			}
		}
	case q > 0:
		h.AffineFrom = "qform"
		h.Affine = f.qform()
	default:
		h.AffineFrom = "pixdim"
		for i := range 3 {
			h.Affine[i][i] = math.Abs(f.real(76, 104, i+1))
			if i < len(h.Dim) {
				h.Affine[i][3] = -h.Affine[i][i] * float64(h.Dim[i]-1) / 2
			}
		}
		if h.Affine[0][0] > 0 { // as in nibabel: by default x runs from right to left
			h.Affine[0][0], h.Affine[0][3] = -h.Affine[0][0], -h.Affine[0][3]
		}
	}
	for _, row := range h.Affine {
		for _, v := range row {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("the %s is not finite", h.AffineFrom)
			}
		}
	}
	return nil
}

// qform makes the affine of a rotation (a unit quaternion without its first part), voxel sizes and
// a shift; nifti1.h, method 2.
func (f fields) qform() (m [3][4]float64) {
	b, c, d := f.real(256, 352, 0), f.real(256, 352, 1), f.real(256, 352, 2)
	a := 1 - (b*b + c*c + d*d)
	if a < 1e-7 { // a half turn, rounded
		n := math.Sqrt(b*b + c*c + d*d)
		a, b, c, d = 0, b/n, c/n, d/n
	} else {
		a = math.Sqrt(a)
	}
	r := [3][3]float64{
		{a*a + b*b - c*c - d*d, 2 * (b*c - a*d), 2 * (b*d + a*c)},
		{2 * (b*c + a*d), a*a + c*c - b*b - d*d, 2 * (c*d - a*b)},
		{2 * (b*d - a*c), 2 * (c*d + a*b), a*a + d*d - b*b - c*c},
	}
	for i := range 3 {
		for j := range 3 {
			m[i][j] = r[i][j] * math.Abs(f.real(76, 104, j+1))
		}
		if f.real(76, 104, 0) < 0 {
			m[i][2] = -m[i][2]
		}
		m[i][3] = f.real(268, 376, i)
	}
	return m
}
