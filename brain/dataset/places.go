package dataset

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
)

// Space says where voxels are, for pictures and maps: on two surfaces, or in the mask of a volume. The zero value says
// nothing.
type Space struct {
	Left, Right string        // files (GIFTI or FreeSurfer) of the hemispheres; "": there is none
	Vertices    Input[Region] // of each column, counted left then right; absent: column k is vertex k

	Mask     string // NIfTI file, instead of surfaces, whose voxels (or those of them in Vertices) are the columns
	XFastest bool   // the columns run through the mask as pycortex does, x fastest; else z runs fastest, as in nilearn
}

// Places is a [Space] whose vertices are read.
type Places struct {
	Left, Right string // surface files
	Vertices    []int  // of each voxel, counted left then right; nil: voxel k is vertex k
	Mask        string // NIfTI
	XFastest    bool   // of the columns in the mask
}

// Places returns the places of a subject's voxels, if dataset.yaml has them, and for "" those of subjects without
// their own.
// Files of surfaces and masks are not read.
func (d *Dataset) Places(ctx context.Context, subject string) (Places, error) {
	space := d.spec.Space
	if subject != "" {
		s, err := d.subject(subject)
		if err != nil {
			return Places{}, err
		}
		if s.Space != nil {
			space = *s.Space
		}
	}
	p := Places{Left: space.Left, Right: space.Right, Mask: space.Mask, XFastest: space.XFastest}
	if space.Vertices.Absent() {
		return p, nil
	}
	region, err := space.Vertices.Load(ctx)
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
		return p, fault.New(fault.BadData, "read places", space.Vertices.Path, "voxel %d is on vertex %d", i,
			p.Vertices[i])
	}
	return p, nil
}

func (s *Spec) checkSpaces() *fault.Error {
	check := func(where string, space Space) *fault.Error {
		switch {
		case space.Left == "" && space.Right == "" && space.Mask == "" && !space.Vertices.Absent():
			return wrong(key("surface", where), "there are vertices, and no surface")
		case space.Mask != "" && (space.Left != "" || space.Right != ""):
			return wrong(key("mask", where), "voxels are on a surface or in a mask, not both")
		}
		return nil
	}
	if err := check("", s.Space); err != nil {
		return err
	}
	for _, subject := range slices.Concat(s.Subjects, s.Derived) {
		if subject.Space != nil {
			if err := check(subject.Name, *subject.Space); err != nil {
				return err
			}
		}
	}
	return nil
}
