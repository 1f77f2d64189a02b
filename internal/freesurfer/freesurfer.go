// Package freesurfer reads FreeSurfer's own files of a hemisphere: surfaces in the triangle format
// (lh.pial, lh.inflated, lh.white) and one number for each vertex in the newer format of curvatures
// (lh.sulc, lh.curv, lh.thickness).
//
// The formats are those of FreeSurfer's mrisReadTriangleFile and MRISreadCurvatureFile
// (utils/mrisurf.cpp). All numbers are big-endian. Coordinates are FreeSurfer's surface coordinates
// (tkRAS), right, anterior, superior from the middle of a volume, whose geometry follows the
// triangles: [ScannerOf] reads it. The older quadrangle surfaces and curvatures in 16 bits
// are refused with a hint on how to convert them.
package freesurfer

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/brainwavlm/bwlm/internal/raw"
)

const (
	readingSurface   = "read surface"
	readingCurvature = "read map"
)

// The first three bytes of files.
var (
	triangles   = []byte{0xff, 0xff, 0xfe}
	curvature   = []byte{0xff, 0xff, 0xff} // also of quadrangles
	quadrangles = []byte{0xff, 0xff, 0xfd}
)

// isSurface reports whether a file begins as surfaces of triangles do.
func isSurface(data []byte) bool { return bytes.HasPrefix(data, triangles) }

// isCurvature reports whether a file begins as curvatures do.
func isCurvature(data []byte) bool { return bytes.HasPrefix(data, curvature) }

// ParseSurface reads the bytes of a surface, which errors call name: its vertices, in millimetres,
// and the corners of its triangles, counted from 0 and not checked against the vertices.
func ParseSurface(data []byte, name string) (points [][3]float32, faces [][3]int32, err error) {
	if bytes.HasPrefix(data, quadrangles) || isCurvature(data) {
		return nil, nil, raw.Bad(readingSurface, name, "it is a surface of quadrangles, or no surface").
			WithHint("convert it to triangles with mris_convert, or give the .pial, .white or .inflated")
	}
	if !isSurface(data) {
		return nil, nil, raw.Bad(readingSurface, name, "it is no surface of FreeSurfer").
			WithHint("give a .pial, .white or .inflated, or a .surf.gii")
	}
	if points, faces, err = surface(data[len(triangles):]); err != nil {
		return nil, nil, raw.Damaged(readingSurface, name, err)
	}
	return points, faces, nil
}

func surface(data []byte) ([][3]float32, [][3]int32, error) {
	for range 2 { // a comment and an empty line
		_, rest, ok := bytes.Cut(data, []byte{'\n'})
		if !ok {
			return nil, nil, errors.New("the file ends in its comment")
		}
		data = rest
	}
	if len(data) < 8 {
		return nil, nil, errors.New("the file ends before its numbers of vertices and triangles")
	}
	v, f := int32(binary.BigEndian.Uint32(data)), int32(binary.BigEndian.Uint32(data[4:]))
	data = data[8:]
	const each = 12 // bytes of a vertex, and of a triangle
	if v <= 0 || f <= 0 || each*(int64(v)+int64(f)) > int64(len(data)) {
		return nil, nil, fmt.Errorf("%d vertices and %d triangles are declared, %d bytes follow", v, f, len(data))
	}
	points, faces := make([][3]float32, v), make([][3]int32, f)
	next := func() uint32 {
		x := binary.BigEndian.Uint32(data)
		data = data[4:]
		return x
	}
	for i := range points {
		for k := range 3 {
			points[i][k] = math.Float32frombits(next())
		}
	}
	for i := range faces {
		for k := range 3 {
			faces[i][k] = int32(next())
		}
	}
	return points, faces, nil
}

// ParseCurvature reads the bytes of a curvature file, which errors call name: one number for each
// vertex.
func ParseCurvature(data []byte, name string) ([]float32, error) {
	if !isCurvature(data) {
		return nil, raw.Bad(readingCurvature, name, "it is no curvature file of FreeSurfer's newer format").
			WithHint("convert it with mris_convert -c, or give a .shape.gii")
	}
	values, err := numbers(data[len(curvature):])
	if err != nil {
		return nil, raw.Damaged(readingCurvature, name, err)
	}
	return values, nil
}

func numbers(data []byte) ([]float32, error) {
	if len(data) < 12 {
		return nil, errors.New("the file ends in its header")
	}
	v, each := int32(binary.BigEndian.Uint32(data)), int32(binary.BigEndian.Uint32(data[8:]))
	if data = data[12:]; v <= 0 || int64(v)*4 > int64(len(data)) {
		return nil, fmt.Errorf("%d vertices are declared, %d bytes follow", v, len(data))
	}
	if each != 1 {
		return nil, fmt.Errorf("there are %d numbers for each vertex, want 1", each)
	}
	out := make([]float32, v)
	for i := range out {
		out[i] = math.Float32frombits(binary.BigEndian.Uint32(data[4*i:]))
	}
	return out, nil
}
