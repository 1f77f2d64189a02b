// Package basemodel ties what was trained to the model that it was trained on. The identity of a model is the
// SHA-256 of everything in its folder that its outputs follow from, whatever the container of the weights.
package basemodel

import (
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
)

// File is the name of the file with the identity next to an adapter, which other programs ignore.
const File = "base_model.json"

// ErrChanged is matched by the error of [Check].
var ErrChanged = errors.New("another base model")

type content struct {
	Schema int    `json:"schema"`
	SHA256 string `json:"sha256"`
}

// Read returns the identity of the base of the adapter in a folder; "" if it is not recorded.
func Read(op, dir string) (string, error) {
	path := filepath.Join(dir, File)
	var c content
	err := jsonfile.Read(op, path, &c)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", err
	case c.Schema != 1 || len(c.SHA256) != 64:
		return "", fault.New(fault.BadData, op, path, "schema %d and %d digits of SHA-256, want 1 and 64", c.Schema,
			len(c.SHA256)).WithHint("get the file again")
	}
	return c.SHA256, nil
}

// Write writes the file into the folder of an adapter.
func Write(dir, identity string) error {
	return jsonfile.Write(filepath.Join(dir, File), content{1, identity})
}

// Check returns an error if the identity that was recorded with what is at path differs from the model's. It is nil if
// either is unknown.
func Check(op, path, recorded, model string) error {
	if recorded == "" || model == "" || recorded == model {
		return nil
	}
	f := fault.New(fault.BadData, op, path,
		"was trained on another base model: SHA-256 %.12s…, and the model here has %.12s…", recorded, model).
		WithHint("use the model that it was trained on, or allow a changed base")
	f.Err = ErrChanged
	return f
}
