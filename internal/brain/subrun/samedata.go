package subrun

import (
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/internal/rundir"
)

// SameData returns an error if runs of one table began with different contents of a file, which changed between them.
// A folder without a manifest is passed over.
func SameData(op string, dirs []string) error {
	type first struct{ sum, dir string }
	seen := map[string]first{}
	for _, dir := range dirs {
		var m results.Manifest
		err := jsonfile.Read(op, filepath.Join(dir, rundir.ManifestOfRun), &m)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		for _, in := range m.Inputs {
			if was, ok := seen[in.Path]; ok && was.sum != in.SHA256 {
				return fault.New(fault.BadData, op, in.Path, "changed between the runs %s (SHA-256 %.12s…) and %s "+
					"(%.12s…): they cannot stand in one table", was.dir, was.sum, dir, in.SHA256).
					WithHint("put the file back, and remove the runs of the other one: the same command makes them")
			} else if !ok {
				seen[in.Path] = first{in.SHA256, dir}
			}
		}
	}
	return nil
}
