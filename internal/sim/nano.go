package sim

import (
	"embed"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/brainwavlm/bwlm/fault"
)

//go:embed nano/config.json nano/preprocessor_config.json nano/model.safetensors
var nanoFiles embed.FS

// WriteNano creates a folder with the study's speech model in Hugging Face's layout: a nano WavLM
// trained on synthetic speech of the tuning voices by tools/sim/train_nano.py.
func WriteNano(dir string) error {
	fail := func(err error) error { return fault.Wrap(fault.IO, "write nano model", dir, err) }
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fail(err)
	}
	files, err := fs.ReadDir(nanoFiles, "nano")
	if err != nil {
		return fail(err)
	}
	for _, f := range files {
		content, err := nanoFiles.ReadFile(path.Join("nano", f.Name()))
		if err != nil {
			return fail(err)
		}
		if err := os.WriteFile(filepath.Join(dir, f.Name()), content, 0o666); err != nil {
			return fail(err)
		}
	}
	return nil
}
