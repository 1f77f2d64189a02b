// Package hub recognises names of models on the Hugging Face hub where a folder is expected. It does
// not use the network.
package hub

import (
	"errors"
	"io/fs"
	"os"
	"regexp"

	"github.com/brainwavlm/bwlm/fault"
)

// pattern is that of OWNER/MODEL, as the hub admits them.
var pattern = regexp.MustCompile(`^[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}$`)

// Download returns the command of huggingface_hub that fetches a model into a folder.
func Download(model, dir string) string { return "hf download " + model + " --local-dir " + dir }

// Check returns an error if path is the name of a model on the hub and no folder here: its hint is
// the command that makes it one.
func Check(op, path string) error { return CheckAt(op, path, path) }

// CheckAt is [Check] for a path that an experiment gave as name, relative to its own folder.
func CheckAt(op, name, path string) error {
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) || !pattern.MatchString(name) {
		return nil
	}
	return fault.New(fault.Missing, op, name, "there is no such folder; as a name it is of a model on huggingface.co").
		WithHint("fetch it here, under the same name: `%s` (pip install huggingface_hub)", Download(name, path))
}
