package nifti

import (
	"compress/gzip"
	"encoding/binary"
	"io"
	"math"

	"github.com/brainwavlm/bwlm/internal/raw"
)

// NewFloat makes an image of real numbers, the first index fastest. The affine is to millimetres.
func NewFloat(dim []int, affine [3][4]float64, values []float32) *Image {
	b, _ := binary.Append(make([]byte, 0, 4*len(values)), binary.LittleEndian, values)
	return newImage(dim, affine, raw.Float32, b)
}

// NewInt makes an image of whole numbers.
func NewInt(dim []int, affine [3][4]float64, values []int32) *Image {
	b, _ := binary.Append(make([]byte, 0, 4*len(values)), binary.LittleEndian, values)
	return newImage(dim, affine, raw.Int32, b)
}

func newImage(dim []int, affine [3][4]float64, kind raw.Type, data []byte) *Image {
	return &Image{data: data, Header: Header{Version: 1, Dim: dim, Affine: affine, AffineFrom: "sform", Slope: 1,
		kind:  kind,
		order: binary.LittleEndian}}
}

// WriteTo writes the image as one NIfTI-1 file, .nii. Equal images give equal bytes.
func (im *Image) WriteTo(w io.Writer) (int64, error) {
	header, err := im.header()
	if err != nil {
		return 0, err
	}
	n, err := w.Write(header)
	if err != nil {
		return int64(n), err
	}
	m, err := w.Write(im.data)
	return int64(n + m), err
}

// WriteGzip writes the image as .nii.gz.
func (im *Image) WriteGzip(w io.Writer) error {
	z := gzip.NewWriter(w)
	if _, err := im.WriteTo(z); err != nil {
		return err
	}
	return z.Close()
}

const (
	millimetreSecond = 2 | 8 // xyzt_units
	aligned          = 2     // NIFTI_XFORM_ALIGNED_ANAT
)

func (im *Image) header() ([]byte, error) {
	size, err := raw.Bytes(im.kind, im.Dim)
	if err == nil && (size != len(im.data) || len(im.Dim) > maxRank) {
		err = errSize(im.Dim, im.kind, size, len(im.data))
	}
	for _, d := range im.Dim {
		if err == nil && d > math.MaxInt16 {
			err = errSize(im.Dim, im.kind, size, len(im.data))
		}
	}
	if err != nil {
		return nil, raw.Bad("write nifti", im.name, "%v", err)
	}
	b := make([]byte, size1+4)
	o := binary.LittleEndian
	i16 := func(at, v int) { o.PutUint16(b[at:], uint16(int16(v))) }
	f32 := func(at int, v float64) { o.PutUint32(b[at:], math.Float32bits(float32(v))) }
	if im.order != nil && im.order.Uint16([]byte{1, 0}) != 1 {
		return nil, raw.Bad("write nifti", im.name, "big-endian numbers are not written")
	}
	o.PutUint32(b, size1)
	i16(40, len(im.Dim))
	for i := range maxRank {
		d := 1
		if i < len(im.Dim) {
			d = im.Dim[i]
		}
		i16(42+2*i, d)
		f32(80+4*i, 1)
	}
	i16(70, int(im.kind))
	i16(72, 8*im.kind.Size())
	f32(76, 1)
	for j := range 3 {
		f32(80+4*j,
			math.Sqrt(im.Affine[0][j]*im.Affine[0][j]+im.Affine[1][j]*im.Affine[1][j]+im.Affine[2][j]*im.Affine[2][j]))
	}
	f32(108, size1+4)
	f32(112, im.Slope)
	f32(116, im.Inter)
	b[123] = millimetreSecond
	copy(b[148:228], im.Description)
	i16(254, aligned)
	for i := range 3 {
		for j := range 4 {
			f32(280+16*i+4*j, im.Affine[i][j])
		}
	}
	i16(68, im.Intent)
	copy(b[344:], "n+1\x00")
	return b, nil
}
