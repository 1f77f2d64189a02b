package regions

import (
	"context"
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/internal/cortex"
	"github.com/brainwavlm/bwlm/internal/raw"
)

// Rule says which voxels belong to a set of vertices.
type Rule int

// The rules.
const (
	Cortical Rule = iota // the nearest vertex is in the set, and as near as the cortex is thick
	Nearest              // of the vertices in the voxel, more than half are in the set
)

// voxels turns sets of vertices into columns.
type voxels struct {
	columns  int
	nearest  []int32   // Cortical: for each column its vertex, -1 for one beyond the cortex
	vertices [][]int32 // Nearest: for each column the vertices in it
}

// locate finds the vertices of the columns' voxels. Places are the middle of the cortex at each vertex.
func locate(ctx context.Context, rule Rule, f Files, b *brain, columns *cortex.Volume) (*voxels, error) {
	to, from, err := readTransform(f.Transform)
	if err != nil {
		return nil, err
	}
	places, thickness := b.middle()
	out := &voxels{columns: len(columns.Voxels)}
	if rule == Nearest {
		out.hold(to, places, b.flat, columns)
		if !out.any() {
			return nil, apart(f)
		}
		return out, nil
	}
	var mask []float32
	if f.Cortical != "" {
		if mask, err = columns.Values(f.Cortical); err != nil {
			return nil, err
		}
	}
	t, farthest := newTree(places), slices.Max(thickness)
	out.nearest = make([]int32, len(columns.Voxels))
	for c, voxel := range columns.Voxels {
		if c%1024 == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		x, rest := voxel%columns.Dim[0], voxel/columns.Dim[0]
		y, z := rest%columns.Dim[1], rest/columns.Dim[1]
		place := from.apply([3]float64{float64(x), float64(y), float64(z)})
		out.nearest[c] = -1
		if mask == nil {
			if vertex, d := t.nearest(place, farthest); vertex >= 0 && d <= thickness[vertex] {
				out.nearest[c] = int32(vertex)
			}
		} else if mask[c] != 0 && mask[c] == mask[c] {
			vertex, _ := t.nearest(place, math.Inf(1))
			out.nearest[c] = int32(vertex)
		}
	}
	if !out.any() {
		return nil, apart(f)
	}
	return out, nil
}

// apart is the error of surfaces that are not where the voxels are.
func apart(f Files) error {
	return raw.Bad(makeRegions, f.Transform, "it puts none of the cortex into the voxels of the responses").
		WithHint("check that surfaces, transform and mask are of one subject")
}

// hold notes which vertices each voxel holds. Vertices that the flat map left out, at cuts and in the medial wall, are
// in none; one up to a voxel beyond the volume is in the voxel at its border: both as in pycortex.
func (v *voxels) hold(to affine, places [][3]float64, use []bool, columns *cortex.Volume) {
	v.vertices = make([][]int32, len(columns.Voxels))
	column := make(map[int]int32, len(columns.Voxels))
	for c, voxel := range columns.Voxels {
		column[voxel] = int32(c)
	}
next:
	for vertex, place := range places {
		if !use[vertex] {
			continue
		}
		voxel, step := 0, 1
		for k, x := range to.apply(place) {
			n := columns.Dim[k]
			if !(x > -.5 && x < float64(n)+.5) {
				continue next
			}
			voxel += step * min(max(int(math.RoundToEven(x)), 0), n-1)
			step *= n
		}
		if c, ok := column[voxel]; ok {
			v.vertices[c] = append(v.vertices[c], int32(vertex))
		}
	}
}

// any reports whether the cortex is in any voxel.
func (v *voxels) any() bool {
	all := func(int) bool { return true }
	return len(v.of(all)) > 0
}

// of returns the columns of a set of vertices, ascending.
func (v *voxels) of(in func(vertex int) bool) []int {
	out := []int{}
	for c := range v.columns {
		switch {
		case v.nearest != nil:
			if n := v.nearest[c]; n >= 0 && in(int(n)) {
				out = append(out, c)
			}
		default:
			inside := 0
			for _, vertex := range v.vertices[c] {
				if in(int(vertex)) {
					inside++
				}
			}
			if 2*inside > len(v.vertices[c]) {
				out = append(out, c)
			}
		}
	}
	return out
}
