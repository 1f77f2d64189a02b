package dataset

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
)

// Surface holds the vertices of two surfaces on which the voxels lie, the same for all subjects.
type Surface struct {
	Left, Right string        // files (GIFTI) of the hemispheres; "": there is none
	Vertices    Input[Region] // of each voxel, counted left then right; absent: voxel k is vertex k
}

// Places holds the places of voxels, for pictures: vertices of two surfaces, or the mask of a
// volume, whose voxels are the columns, z running fastest. The zero value has none.
type Places struct {
	Left, Right string // surface files
	Vertices    []int  // of each voxel, counted left then right; nil: voxel k is vertex k
	Mask        string // NIfTI
}

// Places returns the places of the voxels, if dataset.yaml has them. The files of surfaces and
// masks are not read.
func (d *Dataset) Places(ctx context.Context) (Places, error) {
	p := Places{Left: d.spec.Surface.Left, Right: d.spec.Surface.Right, Mask: d.spec.Mask}
	vertices := d.spec.Surface.Vertices
	if vertices.Absent() {
		return p, nil
	}
	region, err := vertices.Load(ctx)
	if err != nil {
		return p, err
	}
	p.Vertices = region.Columns
	for v, in := range region.Mask {
		if in {
			p.Vertices = append(p.Vertices, v)
		}
	}
	if i := slices.IndexFunc(p.Vertices, func(v int) bool { return v < 0 }); i >= 0 {
		return p, fault.New(fault.BadData, "read places", vertices.Path, "voxel %d is on vertex %d", i, p.Vertices[i])
	}
	return p, nil
}

func (s *Spec) checkPlaces() *fault.Error {
	switch {
	case s.Surface.Left == "" && s.Surface.Right == "" && !s.Surface.Vertices.Absent():
		return wrong("surface", "there are vertices, and no surface")
	case s.Mask != "" && (s.Surface.Left != "" || s.Surface.Right != ""):
		return wrong("mask", "voxels are on a surface or in a mask, not both")
	}
	return nil
}
