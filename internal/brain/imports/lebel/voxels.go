package lebel

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/imports"
	"github.com/brainwavlm/bwlm/internal/cortex"
)

// Cortical selects the voxels of each subject that are in mask_cortical.nii.gz beside its mask: those of the cortex.
func Cortical(found *imports.Found) error {
	for i := range found.Subjects {
		s := &found.Subjects[i]
		fail := func(path, why string) error {
			return fault.New(fault.Missing, op, path, "%s", why).
				WithHint("name a file with the columns of the subject, or import all voxels")
		}
		if s.Mask == nil {
			return fail(s.Name, "the subject has no mask_thick.nii.gz, so that the cortex is not known")
		}
		path := filepath.Join(filepath.Dir(s.Mask.File), "mask_cortical.nii.gz")
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
			return fail(path, "there is no mask of the cortex")
		}
		_, there, err := found.File(path)
		if err != nil {
			return err
		}
		if _, _, voxels := s.Responses[0].Extent(); !there || s.Mask.Voxels == 0 || voxels == 0 {
			continue // Missing says so
		}
		volume, err := cortex.ReadMask(s.Mask.File, cortex.XFastest)
		if err != nil {
			return err
		}
		values, err := volume.Values(path)
		if err != nil {
			return err
		}
		var columns []int
		for c, x := range values {
			if x != 0 && x == x {
				columns = append(columns, c)
			}
		}
		if err := s.Keep(path, columns); err != nil {
			return err
		}
	}
	return nil
}
