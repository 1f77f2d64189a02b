package cortex

import (
	"math"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/nifti"
	"github.com/brainwavlm/bwlm/internal/raw"
)

const readVolume = "read volume"

// Order is the order in which the voxels of a mask become columns.
type Order int

// The orders in use.
const (
	// ZFastest is the order of nilearn's maskers, NumPy's a[mask] on nibabel's arrays: the last
	// index, z, runs fastest.
	ZFastest Order = iota
	// XFastest is the order of pycortex, whose masks are (z, y, x), and of the file.
	XFastest
)

// Volume is a set of voxels in a grid: those of a mask, in the order of their columns.
type Volume struct {
	Dim    [3]int
	Affine [3][4]float64 // from voxel indices to millimetres: right, anterior, superior
	Voxels []int         // each column's voxel, x + Dim[0]·(y + Dim[1]·z)
}

// ReadMask reads a mask: the voxels of a NIfTI image that are neither 0 nor NaN.
func ReadMask(path string, order Order) (*Volume, error) {
	im, err := nifti.Read(path)
	if err != nil {
		return nil, err
	}
	v, err := newVolume(im, path)
	if err != nil {
		return nil, err
	}
	values := im.Float32()
	in := func(voxel int) {
		if x := values[voxel]; x != 0 && x == x {
			v.Voxels = append(v.Voxels, voxel)
		}
	}
	if order == XFastest {
		for voxel := range values {
			in(voxel)
		}
	} else {
		for x := range v.Dim[0] {
			for y := range v.Dim[1] {
				for z := range v.Dim[2] {
					in(x + v.Dim[0]*(y+v.Dim[1]*z))
				}
			}
		}
	}
	if len(v.Voxels) == 0 {
		return nil, raw.Bad(readVolume, path, "the mask is empty")
	}
	return v, nil
}

// newVolume returns the grid of an image of one volume, without voxels.
func newVolume(im *nifti.Image, path string) (*Volume, error) {
	v := &Volume{Dim: [3]int{1, 1, 1}, Affine: im.Affine}
	for i, d := range im.Dim {
		if i < 3 {
			v.Dim[i] = d
		} else if d != 1 {
			return nil, raw.Bad(readVolume, path, "shape %v has more than one volume", im.Dim).
				WithHint("take one of them")
		}
	}
	m := v.Affine
	if math.Abs(m[0][0]*(m[1][1]*m[2][2]-m[1][2]*m[2][1])-m[0][1]*(m[1][0]*m[2][2]-m[1][2]*m[2][0])+
		m[0][2]*(m[1][0]*m[2][1]-m[1][1]*m[2][0])) < 1e-9 {
		return nil, raw.Bad(readVolume, path, "its affine, from the %s, is flat: voxels have no volume", im.AffineFrom)
	}
	return v, nil
}

// whole is the volume with all voxels, in the order of the file.
func (v *Volume) whole() *Volume {
	out := &Volume{Dim: v.Dim, Affine: v.Affine, Voxels: make([]int, v.Dim[0]*v.Dim[1]*v.Dim[2])}
	for i := range out.Voxels {
		out.Voxels[i] = i
	}
	return out
}

// sameGrid refuses a volume of another shape or, beyond a micrometre, another affine.
func (v *Volume) sameGrid(other *Volume, path string) error {
	if v.Dim != other.Dim {
		return raw.Bad(readVolume, path, "shape %v, the mask's is %v", other.Dim, v.Dim).
			WithHint("resample one to the other's grid")
	}
	for i := range 3 {
		for j := range 4 {
			if math.Abs(v.Affine[i][j]-other.Affine[i][j]) > 1e-3 {
				return raw.Bad(readVolume, path,
					"affine[%d][%d] is %.6g, the mask's is %.6g: its voxels are elsewhere", i, j,
					other.Affine[i][j], v.Affine[i][j]).WithHint("resample one to the other's grid")
			}
		}
	}
	return nil
}

// Place returns the middle of a voxel in millimetres.
func (v *Volume) Place(voxel int) [3]float64 {
	x, rest := voxel%v.Dim[0], voxel/v.Dim[0]
	y, z := rest%v.Dim[1], rest/v.Dim[1]
	var out [3]float64
	for i, row := range v.Affine {
		out[i] = row[0]*float64(x) + row[1]*float64(y) + row[2]*float64(z) + row[3]
	}
	return out
}

// Image returns a NIfTI image of one value for each column, NaN elsewhere.
func (v *Volume) Image(values []float32) (*nifti.Image, error) {
	if len(values) != len(v.Voxels) {
		return nil, fault.New(fault.BadData, "make volume", "", "there are %d values for %d voxels", len(values),
			len(v.Voxels))
	}
	all := make([]float32, v.Dim[0]*v.Dim[1]*v.Dim[2])
	for i := range all {
		all[i] = float32(math.NaN())
	}
	for c, voxel := range v.Voxels {
		all[voxel] = values[c]
	}
	return nifti.NewFloat(v.Dim[:], v.Affine, all), nil
}

// Values returns the numbers of an image at the volume's voxels, in the order of columns.
func (v *Volume) Values(path string) ([]float32, error) {
	im, err := nifti.Read(path)
	if err != nil {
		return nil, err
	}
	other, err := newVolume(im, path)
	if err != nil {
		return nil, err
	}
	if err := v.sameGrid(other, path); err != nil {
		return nil, err
	}
	all := im.Float32()
	out := make([]float32, len(v.Voxels))
	for c, voxel := range v.Voxels {
		out[c] = all[voxel]
	}
	return out, nil
}
