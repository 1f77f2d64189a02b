package huthbox

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/internal/arrayfile"
	"github.com/brainwavlm/bwlm/internal/brain/imports"
)

// regions reads the regions of interest of subjects: rois_S03.jbl is of UTS03.
func (f *find) regions() error {
	for _, name := range slices.Sorted(maps.Keys(f.rois)) {
		path := f.rois[name]
		at := -1
		for i, s := range f.Subjects {
			if strings.HasSuffix(s.Name, name) {
				at = i
			}
		}
		if at < 0 && slices.ContainsFunc(f.Missing, func(m imports.File) bool {
			return strings.Contains(filepath.Base(m.Path), name+"_responses.jbl")
		}) {
			continue
		}
		if at < 0 {
			f.Leave(path, "there is no subject %s", name)
			continue
		}
		if _, there, err := f.File(path); err != nil || !there {
			return err
		}
		if err := f.region(&f.Subjects[at], path); err != nil {
			return err
		}
	}
	return nil
}

// region reads the regions of a subject.
func (f *find) region(s *imports.Subject, path string) error {
	file, err := arrayfile.Open(path)
	if err != nil {
		return err
	}
	arrays := file.Arrays()
	file.Close()
	_, _, voxels := s.Responses[0].Extent()
	for _, a := range arrays {
		if len(a.Shape) != 1 || a.Shape[0] == 0 || a.Shape[0] > voxels {
			f.Leave(path, "%s is no list of columns", a)
			continue
		}
		columns, err := imports.Columns(path, a.Name, voxels)
		if err != nil {
			return err
		}
		s.ROIs = append(s.ROIs, imports.ROI{Name: a.Name, Columns: columns})
	}
	return nil
}
