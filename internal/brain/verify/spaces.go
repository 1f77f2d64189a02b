package verify

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/cortex"
)

// space is where voxels are, as it was read.
type space struct {
	text   string // for the table of subjects
	places int    // voxels of the mask, or vertices
	err    error
}

// spaces verifies the mask or the surfaces of each subject against its voxels, and returns a text for each.
func (r *Report) spaces(ctx context.Context, d *dataset.Dataset, subjects []string,
	voxels map[string]int) map[string]string {
	read, texts := map[string]space{}, map[string]string{}
	for _, subject := range subjects {
		p, err := d.Places(ctx, subject)
		if err != nil {
			r.judge("space "+subject, err, "")
			continue
		}
		name := fmt.Sprint(p.Left, p.Right, p.Mask, p.XFastest)
		s, known := read[name]
		if !known {
			s = readSpace(p)
			read[name] = s
		}
		if texts[subject] = s.text; s.text == "" {
			continue
		}
		if err = s.err; err == nil && voxels[subject] > 0 {
			err = s.fits(p, voxels[subject])
		}
		r.judge("space "+subject, err, "%s, %d places", s.text, s.places)
	}
	return texts
}

// readSpace reads the files of a space.
func readSpace(p dataset.Places) (s space) {
	if p.Mask != "" {
		order, fastest := cortex.ZFastest, "z"
		if p.XFastest {
			order, fastest = cortex.XFastest, "x"
		}
		s.text = fmt.Sprintf("mask %s, %s fastest", filepath.Base(p.Mask), fastest)
		var v *cortex.Volume
		if v, s.err = cortex.ReadMask(p.Mask, order); s.err == nil {
			s.places = len(v.Voxels)
		}
		return s
	}
	for _, file := range []string{p.Left, p.Right} {
		if file == "" {
			continue
		}
		if s.text += " " + filepath.Base(file); s.err == nil {
			var surface *cortex.Surface
			if surface, s.err = cortex.ReadSurface(file); s.err == nil {
				s.places += len(surface.Points)
			}
		}
	}
	if s.text != "" {
		s.text = "surface" + s.text
	}
	return s
}

// fits compares a space with a number of voxels.
func (s space) fits(p dataset.Places, voxels int) error {
	have := s.places
	if p.Vertices != nil {
		have = len(p.Vertices)
		if have > 0 && slices.Max(p.Vertices) >= s.places {
			return fault.New(fault.BadData, op, "", "%s has %d places, a voxel is on number %d", s.text, s.places,
				slices.Max(p.Vertices))
		}
	}
	if have != voxels {
		return fault.New(fault.BadData, op, "", "%s gives places to %d voxels, the responses have %d", s.text, have,
			voxels)
	}
	return nil
}
