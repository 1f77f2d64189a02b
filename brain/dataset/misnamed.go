package dataset

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/brainwavlm/bwlm/fault"
)

// misnamed returns an error if a folder has no dataset.yaml but a file that looks like one under
// another name, or is a data set of another kind, or none.
func misnamed(dir string) error {
	if _, err := os.Lstat(filepath.Join(dir, layoutFile)); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil // reading dataset.yaml tells why
	}
	missing := func(what string, args ...any) *fault.Error {
		return fault.New(fault.Missing, "read data set", dir, "has no "+layoutFile+", but "+what, args...)
	}
	for _, e := range entries {
		switch ext := strings.ToLower(filepath.Ext(e.Name())); {
		case e.Name() == "dataset_description.json":
			return missing("the dataset_description.json of BIDS").
				WithHint("write a %s that names its stories, subjects and files, or import the folder", layoutFile)
		case (ext == ".yaml" || ext == ".yml" || ext == ".json" || ext == ".txt") && describes(filepath.Join(dir,
			e.Name())):
			return missing("%q, which looks like one", e.Name()).WithHint("rename it to %s, or name that file",
				layoutFile)
		}
	}
	return fault.New(fault.Missing, "read data set", dir, "has no "+layoutFile).
		WithHint("name a data set, or import the folder")
}

// maxDescription is the size of the largest file that is taken for a description.
const maxDescription = 1 << 20

// describes reports whether a file is a mapping with the keys of every data set.
func describes(path string) bool {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxDescription {
		return false
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return false
	}
	var keys map[string]yaml.Node
	if yaml.Unmarshal(text, &keys) != nil {
		return false
	}
	_, stories := keys["stories"]
	_, subjects := keys["subjects"]
	return stories && subjects
}
