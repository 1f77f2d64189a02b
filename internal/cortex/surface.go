package cortex

import (
	"bytes"
	"math"
	"strings"

	"github.com/brainwavlm/bwlm/internal/cifti"
	"github.com/brainwavlm/bwlm/internal/freesurfer"
	"github.com/brainwavlm/bwlm/internal/gifti"
	"github.com/brainwavlm/bwlm/internal/raw"
)

const readSurface = "read surface"

// Surface is a mesh of triangles, in millimetres: right, anterior, superior.
type Surface struct {
	Points [][3]float32
	Faces  [][3]int32
}

// ReadSurface reads a surface from a GIFTI file (.surf.gii), or from a file of FreeSurfer (lh.pial,
// lh.inflated).
func ReadSurface(path string) (*Surface, error) {
	data, err := raw.ReadFile(readSurface, path)
	if err != nil {
		return nil, err
	}
	s := &Surface{}
	if isGIFTI(data) {
		s, err = surfaceOf(data, path)
	} else {
		s.Points, s.Faces, err = freesurfer.ParseSurface(data, path)
	}
	if err != nil {
		return nil, err
	}
	return s, s.check(path)
}

// isGIFTI reports whether data are XML, gzipped or not, in contrast to files of FreeSurfer.
func isGIFTI(data []byte) bool {
	data = bytes.TrimPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("\ufeff"))
	return raw.IsGzip(data) || bytes.HasPrefix(data, []byte("<"))
}

// surfaceOf reads the bytes of a GIFTI file.
func surfaceOf(data []byte, path string) (*Surface, error) {
	im, err := gifti.Parse(data, path)
	if err != nil {
		return nil, err
	}
	points, faces := im.Find(gifti.PointSet), im.Find(gifti.Triangle)
	if points == nil || faces == nil {
		return nil, raw.Bad(readSurface, path, "it has no points or no triangles").
			WithHint("give a surface file (.surf.gii)")
	}
	for _, a := range []*gifti.Array{points, faces} {
		if len(a.Dims) != 2 || a.Dims[1] != 3 {
			return nil, raw.Bad(readSurface, path, "%s has the shape %v, want N × 3", a.Intent, a.Dims)
		}
	}
	s := &Surface{Points: make([][3]float32, points.Dims[0]), Faces: make([][3]int32, faces.Dims[0])}
	for i, x := range points.Float32() {
		s.Points[i/3][i%3] = x
	}
	corners, err := faces.Int32()
	if err != nil {
		return nil, err
	}
	for i, v := range corners {
		s.Faces[i/3][i%3] = v
	}
	return s, nil
}

// check refuses points that are not finite and triangles without a point.
func (s *Surface) check(path string) error {
	for i, p := range s.Points {
		for _, x := range p {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				return raw.Bad(readSurface, path, "point %d is not finite", i)
			}
		}
	}
	for i, f := range s.Faces {
		for _, v := range f {
			if v < 0 || int(v) >= len(s.Points) {
				return raw.Bad(readSurface, path, "triangle %d has the corner %d, there are %d points", i, v,
					len(s.Points))
			}
		}
	}
	return nil
}

// GIFTI makes a GIFTI image of the surface, of the left or right cortex.
func (s *Surface) GIFTI(h Hemisphere) *gifti.Image {
	points := make([]float32, 0, 3*len(s.Points))
	for _, p := range s.Points {
		points = append(points, p[:]...)
	}
	faces := make([]int32, 0, 3*len(s.Faces))
	for _, f := range s.Faces {
		faces = append(faces, f[:]...)
	}
	return &gifti.Image{
		Meta: structure(h),
		Arrays: []gifti.Array{
			gifti.NewFloat(gifti.PointSet, "", []int{len(s.Points), 3}, points),
			gifti.NewInt(gifti.Triangle, "", []int{len(s.Faces), 3}, faces),
		},
	}
}

func structure(h Hemisphere) map[string]string {
	name := gifti.CortexLeft
	if h == Right {
		name = gifti.CortexRight
	}
	return map[string]string{"AnatomicalStructurePrimary": name}
}

// ReadMap reads one value for each vertex of a hemisphere from the first array of a GIFTI file
// (.shape.gii, .func.gii), or from a curvature file of FreeSurfer (lh.sulc).
func ReadMap(path string) ([]float32, error) {
	const reading = "read map"
	data, err := raw.ReadFile(reading, path)
	if err != nil {
		return nil, err
	}
	if !isGIFTI(data) {
		return freesurfer.ParseCurvature(data, path)
	}
	im, err := gifti.Parse(data, path)
	if err != nil {
		return nil, err
	}
	if len(im.Arrays) == 0 || im.Arrays[0].Len() != im.Arrays[0].Dims[0] {
		return nil, raw.Bad(reading, path, "it has no array of one value for each vertex")
	}
	return im.Arrays[0].Float32(), nil
}

// MapGIFTI makes a functional GIFTI image of one value for each vertex of a hemisphere, called name
// in viewers.
func MapGIFTI(h Hemisphere, name string, values []float32) *gifti.Image {
	return &gifti.Image{Meta: structure(h), Arrays: []gifti.Array{gifti.NewFloat(gifti.None, name, []int{len(values)},
		values)}}
}

// ReadMaps reads one value for each vertex of both hemispheres, left then right: from a GIFTI or
// FreeSurfer file for each, or from the first map of a CIFTI file (.dscalar.nii).
func ReadMaps(paths ...string) ([]float32, error) {
	var out []float32
	for _, path := range paths {
		if !strings.HasSuffix(path, ".nii") {
			values, err := ReadMap(path)
			if err != nil {
				return nil, err
			}
			out = append(out, values...)
			continue
		}
		f, err := cifti.Read(path)
		if err != nil {
			return nil, err
		}
		for _, structure := range []string{cifti.Left, cifti.Right} {
			values, err := f.Surface(0, structure)
			if err != nil {
				return nil, err
			}
			out = append(out, values...)
		}
	}
	return out, nil
}
