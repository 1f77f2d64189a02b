package lebel

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/annex"
	"github.com/brainwavlm/bwlm/internal/brain/imports"
	"github.com/brainwavlm/bwlm/internal/cortex"
	"github.com/brainwavlm/bwlm/internal/regions"
)

// Regions adds to what was found the regions of each subject that has a mask: those that overlays.svg outlines, and
// auditory cortex of the annotations of its FreeSurfer subject or, over the spheres, of fsaverage. That is a folder of
// FreeSurfer; "" is the one beside the subjects. Where regions cannot be made there is a note why. Files of pycortex
// without content are missing, annotations without content are passed over.
func Regions(ctx context.Context, found *imports.Found, fsaverage string) error {
	if fsaverage != "" {
		if info, err := os.Stat(filepath.Join(fsaverage, "label")); err != nil || !info.IsDir() {
			return fault.New(fault.Missing, op, fsaverage, "it has no folder label").
				WithHint("name the folder fsaverage of FreeSurfer's subjects")
		}
	}
	for i := range found.Subjects {
		s := &found.Subjects[i]
		if s.Mask == nil || s.Mask.File == "" {
			continue
		}
		if err := regionsOf(ctx, found, s, fsaverage); err != nil {
			return err
		}
	}
	return nil
}

func regionsOf(ctx context.Context, found *imports.Found, s *imports.Subject, fsaverage string) error {
	transform := filepath.Dir(s.Mask.File)
	store := filepath.Dir(filepath.Dir(transform))
	subjects := filepath.Join(filepath.Dir(filepath.Dir(store)), "freesurfer_subjdir")
	if fsaverage == "" {
		fsaverage = filepath.Join(subjects, "fsaverage")
	}
	f := regions.Look(store, transform, filepath.Join(subjects, s.Name), fsaverage)
	complete := s.Mask.Voxels > 0
	for _, path := range []string{f.Transform, f.Cortical, f.White[0], f.White[1], f.Pial[0], f.Pial[1], f.Flat[0],
		f.Flat[1], f.Overlays} {
		if path == "" {
			continue
		}
		_, there, err := found.File(path)
		if err != nil {
			return err
		}
		complete = complete && there
	}
	var err error
	f.Annotations = slices.DeleteFunc(f.Annotations, func(a regions.Annotation) bool {
		needed := a.Files[:]
		if strings.HasPrefix(a.Files[0], filepath.Clean(fsaverage)+string(filepath.Separator)) {
			needed = slices.Concat(needed, f.Sphere[:], f.AverageSphere[:])
		}
		for _, path := range needed {
			_, there, why := annex.Of(path)
			if err = errors.Join(err, why); !there {
				found.Note("annotation %s of %s is not used: %s has no content", a.Atlas, s.Name, filepath.Base(path))
				return true
			}
		}
		return false
	})
	if err != nil || !complete {
		return err
	}
	columns, err := cortex.ReadMask(s.Mask.File, cortex.XFastest)
	if err != nil {
		return err
	}
	made, err := regions.Make(ctx, f, columns, regions.Options{})
	if known, ok := errors.AsType[*fault.Error](err); ok && fault.KindOf(err) == fault.Missing {
		found.Note("%s has no regions: %s", s.Name, known.Reason)
		return nil
	}
	if err != nil {
		return err
	}
	tell(found, s, made)
	return nil
}

// tell adds the regions to a subject, with a table of them in notes.
func tell(found *imports.Found, s *imports.Subject, made *regions.Regions) {
	var counts []string
	for _, r := range made.List {
		s.ROIs = append(s.ROIs, imports.ROI{Name: r.Name, From: r.From, Columns: r.Columns})
		text := fmt.Sprintf("%s %d", r.Name, len(r.Columns))
		if r.Name == regions.AC {
			text += " by " + r.From
		}
		counts = append(counts, text)
	}
	found.Note("voxels of the regions of %s: %s", s.Name, strings.Join(counts, ", "))
	if made.NoAC != "" {
		found.Note("%s has no auditory cortex (AC): %s", s.Name, made.NoAC)
	}
	for _, o := range made.Overlaps {
		found.Note("AC of %s by %s and by %s: %d and %d voxels, %d of them the same, Dice %.2f", s.Name, o.A, o.B,
			o.Voxels[0], o.Voxels[1], o.Voxels[2], o.Dice)
	}
	for _, text := range made.Notes {
		found.Note("%s: %s", s.Name, text)
	}
}
