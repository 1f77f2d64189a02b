package hfmodel

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/brainwavlm/bwlm/fault"
)

const (
	processorFile = "processor_config.json" // of transformers 5, which puts the object of the other file in it
	extractorKey  = "feature_extractor"     // the object's key there
)

// ReadExtractor reads the settings of a model's feature extractor: the object feature_extractor in
// processor_config.json, which all processors of transformers 5 write, or else preprocessor_config.json. As in
// transformers the first one counts where there are both. text is nil if there is neither.
func ReadExtractor(dir string) (path string, text []byte, err error) {
	path = filepath.Join(dir, processorFile)
	if exists(path) {
		text, err := ReadText(path)
		if err != nil {
			return path, nil, err
		}
		values, err := ParseObject(text)
		if err != nil {
			return path, nil, fault.New(fault.BadData, "read preprocessor", path, "%v", err).
				WithHint("get the model's %s again", processorFile)
		}
		if object := values[extractorKey]; len(object) > 0 && object[0] == '{' {
			return path, Indented(object), nil
		}
	}
	path = filepath.Join(dir, PreprocessorFile)
	if !exists(path) {
		return path, nil, nil
	}
	text, err = ReadText(path)
	return path, text, err
}

// exists reports whether there is an entry at path, which may be a dangling link.
func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
