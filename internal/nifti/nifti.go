// Package nifti reads and writes NIfTI images: volumes of masks, labels and maps.
//
// It reads NIfTI-1 and NIfTI-2, single files (.nii) and pairs (.hdr and .img), gzipped or not, in
// both byte orders, with all whole and real types up to 64 bits. Values are scaled by scl_slope and
// scl_inter as in the standard (a slope of 0 or NaN means none). The affine is the sform's if there
// is one, else the qform's, else the voxel sizes', in that order (as nibabel does). Numbers are in
// the order of the file: the first index, x, runs fastest.
//
// [Read] takes an image whole. [OpenSeries] reads the volumes of a time series one after another, of files of any
// size, and of each volume the voxels of a mask; [OpenStream] is below it.
//
// The size that a header declares is compared with the size of the file, or its greatest expansion,
// before memory is allocated. The standards are nifti1.h (R. Cox, 2007) and nifti2.h (2011).
package nifti

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"strings"

	"github.com/brainwavlm/bwlm/internal/raw"
)

const reading = "read nifti"

// Image is an image. Its numbers are converted by Float32 or Labels.
type Image struct {
	Header
	Extensions []Extension

	data []byte
	name string // for errors
}

// Extension is a block of bytes between header and data.
type Extension struct {
	Code int
	Data []byte // shared with the image
}

// Read reads the image at path. Of a pair, path may name either file.
func Read(path string) (*Image, error) {
	header, numbers := pair(path)
	data, err := raw.ReadFile(reading, header)
	if err != nil {
		return nil, err
	}
	if numbers == "" {
		return Parse(data, nil, path)
	}
	img, err := raw.ReadFile(reading, numbers)
	if err != nil {
		return nil, err
	}
	return Parse(data, img, path)
}

// pair returns the names of the two files of a pair, or path and "".
func pair(path string) (header, numbers string) {
	base, gz := strings.CutSuffix(path, ".gz")
	end := ""
	if gz {
		end = ".gz"
	}
	for _, ext := range []string{".hdr", ".img"} {
		if stem, ok := strings.CutSuffix(base, ext); ok {
			return stem + ".hdr" + end, stem + ".img" + end
		}
	}
	return path, ""
}

// Parse reads the bytes of a file, or of a pair if img is not nil. Errors call it name.
func Parse(data, img []byte, name string) (*Image, error) {
	im, err := parse(data, img)
	if err != nil {
		return nil, raw.Damaged(reading, name, err)
	}
	im.name = name
	return im, nil
}

// tail is how many bytes may follow the numbers: some programs pad.
const tail = 1 << 20

func parse(data, img []byte) (*Image, error) {
	in, err := open(data)
	if err != nil {
		return nil, err
	}
	head, err := raw.ReadExactly(in, 4)
	if err != nil {
		return nil, err
	}
	rest, err := raw.ReadExactly(in, headSize(head)-4)
	if err != nil {
		return nil, err
	}
	im := &Image{}
	if im.Header, err = parseHeader(append(head, rest...), img != nil); err != nil {
		return nil, err
	}
	size, err := raw.Bytes(im.kind, im.Dim)
	if err != nil {
		return nil, err
	}
	offset := int(im.offset) // parseHeader has checked that it is within MaxBytes
	if img != nil {
		if in, err = open(img); err != nil {
			return nil, err
		}
		if err := im.fits(img, offset+size); err != nil {
			return nil, err
		}
		if _, err = raw.ReadExactly(in, offset); err != nil {
			return nil, err
		}
	} else {
		if err := im.fits(data, offset+size); err != nil {
			return nil, err
		}
		between, err := raw.ReadExactly(in, offset-headSize(head))
		if err != nil {
			return nil, err
		}
		if im.Extensions, err = extensions(between, im.order); err != nil {
			return nil, err
		}
	}
	if im.data, err = raw.ReadExactly(in, size); err != nil {
		return nil, err
	}
	return im, ends(in)
}

// open reads bytes, gzipped or not.
func open(data []byte) (io.Reader, error) {
	if raw.IsGzip(data) {
		return raw.Gunzip(data)
	}
	return bytes.NewReader(data), nil
}

// fits compares the declared size with the size of a file or its greatest expansion.
func (h *Header) fits(data []byte, want int) error {
	if raw.IsGzip(data) {
		return raw.CanHold(len(data), want)
	}
	if want > len(data) {
		return errSize(h.Dim, h.kind, want, len(data))
	}
	return nil
}

// extensions reads the blocks between header and data: a flag of four bytes, then size, code and
// bytes of each. A size should be a multiple of 16; after one that is not, some programs fill up with
// zeros and others do not.
func extensions(b []byte, order binary.ByteOrder) ([]Extension, error) {
	if len(b) < 4 || b[0] == 0 {
		return nil, nil
	}
	var out []Extension
	for b = b[4:]; len(b) >= 8; {
		size, code := int(int32(order.Uint32(b))), int(int32(order.Uint32(b[4:])))
		if size == 0 && code == 0 {
			break // padding
		}
		if size < 8 || size > len(b) {
			return nil, errExtension(size, len(b))
		}
		out = append(out, Extension{code, b[8:size]})
		if whole := (size + 15) / 16 * 16; whole <= len(b) && len(bytes.Trim(b[size:whole], "\x00")) == 0 {
			size = whole
		}
		b = b[size:]
	}
	return out, nil
}

// len is the number of voxels, of all volumes.
func (im *Image) len() int { return len(im.data) / im.kind.Size() }

// Float32 returns the numbers, scaled.
func (im *Image) Float32() []float32 {
	out := make([]float32, im.len())
	for i := range out {
		out[i] = float32(im.at(i))
	}
	return out
}

func (im *Image) at(i int) float64 {
	v := raw.Float(im.data, im.kind, im.order, i)
	if im.Slope != 1 || im.Inter != 0 {
		v = v*im.Slope + im.Inter
	}
	return v
}

// Labels returns the numbers of an image of whole numbers, whatever their type. NaN, which programs
// write outside of the regions or of the brain, is 0.
func (im *Image) Labels() ([]int32, error) {
	out := make([]int32, im.len())
	for i := range out {
		v, err := im.at(i), error(nil)
		if math.IsNaN(v) {
			continue
		}
		if out[i], err = raw.Whole(v, i); err != nil {
			return nil, raw.Bad(reading, im.name, "%v", err).
				WithHint("check that it is an image of labels and was not smoothed")
		}
	}
	return out, nil
}
