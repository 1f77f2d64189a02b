package bids

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/cortex"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
)

const (
	descriptionFile = "dataset_description.json"
	generator       = "bwlm"
)

// makeRoom refuses a folder that holds something, or with force removes the maps of an export that is there.
func makeRoom(dir string, force bool) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0:
		return nil
	case err != nil:
		return fault.Wrap(fault.IO, exporting, dir, err)
	case !force:
		return fault.New(fault.Exists, exporting, dir,
			"is there already").WithHint("choose another folder, or set Force to replace it")
	}
	removed := 0
	for _, below := range []string{"", "*"} {
		descriptions, err := filepath.Glob(filepath.Join(quoted(dir), below, descriptionFile))
		if err != nil {
			return fault.Wrap(fault.IO, exporting, dir, err)
		}
		for _, path := range descriptions {
			if !isOurs(path) {
				continue
			}
			removed++
			for _, pattern := range []string{"sub-*/func/*_statmap.*", "group/*_statmap.*"} {
				maps, _ := filepath.Glob(filepath.Join(quoted(filepath.Dir(path)), pattern)) // the pattern is sound
				for _, m := range maps {
					if err := os.Remove(m); err != nil {
						return fault.Wrap(fault.IO, exporting, m, err)
					}
				}
			}
		}
	}
	if removed == 0 {
		return fault.New(fault.Exists, exporting, dir,
			"holds something that is no export of bwlm").WithHint("choose another folder")
	}
	return nil
}

// quoted keeps the characters of a path from being a pattern.
func quoted(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

// isOurs reports whether a description names bwlm as the generator.
func isOurs(path string) bool {
	var d cortex.Description
	return jsonfile.Read(exporting, path, &d) == nil && len(d.GeneratedBy) > 0 && d.GeneratedBy[0].Name == generator
}
