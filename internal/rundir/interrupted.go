package rundir

import (
	"path/filepath"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/internal/disk"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
)

// Interrupted reports whether a directory holds a training that has not come to its end, or one whose process died,
// which leaves its lock file. It may also be at work.
func Interrupted(dir string) (yes bool) {
	_ = disk.In(dir, func(f *disk.Folder) error {
		if _, err := f.Lstat(ConfigFile); err != nil {
			return err
		}
		if _, err := f.Lstat(lockFile); err == nil {
			yes = true
			return nil
		}
		var s results.Summary // the scores are the last that is written; those before the training know no epochs
		err := jsonfile.ReadIn("open run", f, filepath.Join("eval", "summary.json"), &s)
		yes = err != nil || len(s.Epochs) == 0
		return nil
	})
	return yes
}
