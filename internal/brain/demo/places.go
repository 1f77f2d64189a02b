package demo

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/cortex"
	"github.com/brainwavlm/bwlm/internal/sim"
	"github.com/brainwavlm/bwlm/npy"
)

// surfaceLevel is the level of the synthetic hemispheres: 642 vertices each.
const surfaceLevel = 3

// homes are the middles of the patches in which a region's voxels are, on both sides alike:
// outward, anterior, superior.
var homes = map[string][][3]float64{
	sim.Auditory: {{1, .1, -.2}}, // about Heschl's gyrus
	// association cortex: angular, inferior frontal, precuneus
	sim.Semantic: {{.75, -.65, .1}, {.75, .7, .1}, {-.8, -.5, .4}},
	sim.Noise:    {{-.4, -1, -.3}, {.55, -.1, .85}}, // where nothing is planted: occipital, motor
}

// place gives each voxel, by its region, a vertex of its own on two hemispheres, counted left then
// right. Voxels of a region go to the sides, and there to its patches, in turn, each to the free
// vertex nearest to the patch's middle.
func place(regions []string, left, right *cortex.Sheet) []int {
	out := make([]int, len(regions))
	taken := [2][]bool{make([]bool, len(left.Sphere)), make([]bool, len(right.Sphere))}
	count := map[string]int{}
	for voxel, region := range regions {
		k := count[region]
		count[region]++
		side, home := k%2, homes[region][k/2%len(homes[region])]
		sphere := [2]*cortex.Sheet{left, right}[side].Sphere
		nearest, most := -1, 0.
		for v, p := range sphere {
			near := float64(p[0])*home[0] + float64(p[1])*home[1] + float64(p[2])*home[2]
			if !taken[side][v] && (nearest < 0 || near > most) {
				nearest, most = v, near
			}
		}
		taken[side][nearest] = true
		out[voxel] = nearest + side*len(left.Sphere)
	}
	return out
}

// files of the surface, below a demo's directory.
var surfaceFiles = [3]string{"surface/left.surf.gii", "surface/right.surf.gii", "surface/vertices.npy"}

// writePlaces makes up a surface for the voxels, so that their scores can be drawn. No number of
// the demo depends on it.
func writePlaces(dir string, regions []string) error {
	left, right := cortex.Synthetic(surfaceLevel)
	if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(surfaceFiles[0])), fs.FileMode(0o755)); err != nil {
		return fault.Wrap(fault.IO, "demo", dir, err)
	}
	for i, s := range []*cortex.Sheet{left, right} {
		err := atomicfile.Write(filepath.Join(dir, surfaceFiles[i]), func(w io.Writer) error {
			_, err := s.Surface.GIFTI(cortex.Left + cortex.Hemisphere(i)).WriteTo(w)
			return err
		})
		if err != nil {
			return err
		}
	}
	vertices := place(regions, left, right)
	return npy.Write(filepath.Join(dir, surfaceFiles[2]), []int{len(vertices)}, int64s(vertices))
}

func int64s(x []int) []int64 {
	out := make([]int64, len(x))
	for i, v := range x {
		out[i] = int64(v)
	}
	return out
}

// PlacesOf returns the places of the voxels of a demo in its directory, none if it has no surface.
func PlacesOf(dir string) (p dataset.Places, err error) {
	path := filepath.Join(dir, surfaceFiles[2])
	if _, err := os.Stat(path); err != nil {
		return p, nil
	}
	a, err := npy.Read(path)
	if err != nil {
		return p, err
	}
	numbers, err := a.Float64()
	if err != nil {
		return p, err
	}
	for _, v := range numbers {
		p.Vertices = append(p.Vertices, int(v))
	}
	if slices.Min(p.Vertices) < 0 {
		return p, fault.New(fault.BadData, "read places", path, "it has a number below 0")
	}
	p.Left, p.Right = filepath.Join(dir, surfaceFiles[0]), filepath.Join(dir, surfaceFiles[1])
	return p, nil
}
