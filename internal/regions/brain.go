package regions

import (
	"bytes"
	"math"

	"github.com/brainwavlm/bwlm/internal/cortex"
	"github.com/brainwavlm/bwlm/internal/freesurfer"
	"github.com/brainwavlm/bwlm/internal/raw"
)

const makeRegions = "make regions"

// brain is a subject's surfaces, left then right.
type brain struct {
	white, pial [][3]float32 // in millimetres of matrices.xfm
	faces       [][3]int32
	left        int    // vertices of the left side
	flat        []bool // vertices in triangles of the flat map; all of them without one
	mapped      [][2]float32
}

// readBrain reads the surfaces and the flat map.
func readBrain(f Files) (*brain, error) {
	b := &brain{}
	for side := range 2 {
		white, err := readSurface(f.White[side])
		if err != nil {
			return nil, err
		}
		pial, err := readSurface(f.Pial[side])
		if err != nil {
			return nil, err
		}
		if len(white.Points) == 0 {
			return nil, raw.Bad(makeRegions, f.White[side], "it has no vertices")
		}
		if len(pial.Points) != len(white.Points) {
			return nil, raw.Bad(makeRegions, f.Pial[side], "it has %d vertices, the white surface has %d",
				len(pial.Points), len(white.Points))
		}
		var flat *cortex.Surface
		if f.Flat[side] != "" {
			if flat, err = cortex.ReadSurface(f.Flat[side]); err != nil {
				return nil, err
			}
			if len(flat.Points) != len(white.Points) {
				return nil, raw.Bad(makeRegions, f.Flat[side], "it has %d vertices, the white surface has %d",
					len(flat.Points), len(white.Points))
			}
		}
		b.add(white, pial, flat, side == 1)
	}
	return b, nil
}

// add appends a hemisphere. Of the flat maps, the left one ends in x where the right one begins, as in pycortex.
func (b *brain) add(white, pial, flat *cortex.Surface, right bool) {
	from := int32(len(b.white))
	b.white, b.pial = append(b.white, white.Points...), append(b.pial, pial.Points...)
	for _, face := range white.Faces {
		b.faces = append(b.faces, [3]int32{face[0] + from, face[1] + from, face[2] + from})
	}
	if !right {
		b.left = len(b.white)
	}
	b.flat = append(b.flat, make([]bool, len(white.Points))...)
	if flat == nil {
		flat = &cortex.Surface{Faces: white.Faces}
	}
	for _, face := range flat.Faces {
		for _, v := range face {
			b.flat[from+v] = true
		}
	}
	if len(flat.Points) == 0 {
		return
	}
	edge := flat.Points[0][0]
	for _, p := range flat.Points {
		if right {
			edge = min(edge, p[0])
		} else {
			edge = max(edge, p[0])
		}
	}
	for _, p := range flat.Points {
		b.mapped = append(b.mapped, [2]float32{p[0] - edge, p[1]})
	}
}

// middle returns the points half way between the surfaces, and how thick the cortex is at each.
func (b *brain) middle() (points [][3]float64, thickness []float64) {
	points, thickness = make([][3]float64, len(b.white)), make([]float64, len(b.white))
	for v, w := range b.white {
		p := b.pial[v]
		for k := range 3 {
			points[v][k] = float64((w[k] + p[k]) / 2) // of float32, as in pycortex
		}
		thickness[v] = math.Sqrt(squared(spatial(w), spatial(p)))
	}
	return points, thickness
}

func spatial(p [3]float32) [3]float64 { return [3]float64{float64(p[0]), float64(p[1]), float64(p[2])} }

// readSurface reads a surface of pycortex, or one of FreeSurfer, whose coordinates it turns into those of the scanner,
// in which pycortex's are.
func readSurface(path string) (*cortex.Surface, error) {
	s, err := cortex.ReadSurface(path)
	if err != nil {
		return nil, err
	}
	data, err := raw.ReadFile(makeRegions, path)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(data, []byte{0xff, 0xff, 0xfe}) {
		scanner, err := freesurfer.ScannerOf(data, path)
		if err != nil {
			return nil, err
		}
		for i, p := range s.Points {
			for k, x := range affine(scanner).apply(spatial(p)) {
				s.Points[i][k] = float32(x)
			}
		}
	}
	return s, nil
}
