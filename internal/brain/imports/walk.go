package imports

import (
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
)

// EachFile tells do the paths of the files below some folders, without hidden folders.
func (f *Found) EachFile(folders []string, do func(path string)) error {
	n := 0
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return fault.Wrap(fault.Missing, op, path, err)
			case e.IsDir() && strings.HasPrefix(e.Name(), ".") && path != folder:
				return fs.SkipDir
			case e.IsDir():
				return nil
			}
			if n++; n > mostFiles {
				return f.Fail(folder, "has more than %d files", mostFiles)
			}
			do(path)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
