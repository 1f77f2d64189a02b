package serve

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
)

const digesting = "hash folder"

// ofRun are the files and folders of a run that a prediction depends on. Logs and checkpoints are not among them.
var ofRun = []string{"adapter", "calibration", "config.yaml", "manifest.json", "model", "readout"}

// Digest returns the SHA-256, in hexadecimal, of a run or an adapter: of the lines "HASH  PATH" of its files in the
// order of their paths, as sha256sum prints them. Of a run it takes what predictions depend on. Links are errors.
func Digest(dir string) (string, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", inputfile.Error(digesting, dir, err)
	}
	defer root.Close()
	from := []string{"."}
	if _, err := root.Lstat("readout"); err == nil {
		ceilings, err := fs.Glob(root.FS(), "eval/test/*/ceiling.npy")
		if err != nil {
			return "", fault.Wrap(fault.Internal, digesting, dir, err)
		}
		from = slices.Sorted(slices.Values(slices.Concat(ofRun, ceilings)))
	}
	sum := sha256.New()
	for _, name := range from {
		if _, err := root.Lstat(name); err != nil && name != "." {
			continue // a run has an adapter or a model, or none of them
		}
		if err := digestTree(root, dir, name, sum); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// digestTree writes the lines of the files below a name.
func digestTree(root *os.Root, dir, name string, sum io.Writer) error {
	return fs.WalkDir(root.FS(), name, func(path string, d fs.DirEntry, err error) error {
		where := filepath.Join(dir, path)
		switch {
		case err != nil:
			return inputfile.Error(digesting, where, err)
		case d.IsDir():
			return nil
		case !d.Type().IsRegular():
			return fault.New(fault.BadData, digesting, where, "is no plain file").WithHint("copy what a link points to")
		}
		f, err := root.Open(path)
		if err != nil {
			return inputfile.Error(digesting, where, err)
		}
		defer f.Close()
		one := sha256.New()
		if _, err := io.Copy(one, f); err != nil {
			return inputfile.Error(digesting, where, err)
		}
		_, err = fmt.Fprintf(sum, "%x  %s\n", one.Sum(nil), strings.ReplaceAll(path, "\n", "\\n"))
		return err
	})
}

// sameDigest returns an error unless a folder has the digest that is configured.
func sameDigest(dir, want string) error {
	have, err := Digest(dir)
	if err == nil && have != want {
		err = fault.New(fault.BadData, "open model", dir, "sha256 is %s, and the configuration has %s", have, want).
			WithHint("find out who changed the folder, or configure the new hash")
	}
	return err
}
