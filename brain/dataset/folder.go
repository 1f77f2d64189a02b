package dataset

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"syscall"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/rowsource"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/sniff"
)

// folder finds and reads the files of a data set.
type folder struct {
	dir  string
	kept *rowsource.Kept
}

// join returns the path of a file that is named relative to the folder, or absolutely.
func (f folder) join(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(f.dir, name)
}

// find returns the path of a file. A relative name may not lead out of the folder, neither by ..
// nor through a link, so that a data set from elsewhere cannot choose other files to read. Links to
// the store of its own copy may: that of git-annex, and the blobs of Hugging Face's cache. It is no
// error here if there is no such file.
func (f folder) find(name string) (string, error) {
	if filepath.IsAbs(name) {
		return name, nil
	}
	return f.join(name), f.contains(name)
}

func (f folder) contains(name string) error {
	root, err := os.OpenRoot(f.dir)
	if err != nil {
		return fault.Wrap(fault.Missing, "read data set", f.dir,
			err).WithHint("name a data set's folder or its dataset.yaml")
	}
	defer root.Close()
	_, err = root.Stat(name)
	if target, link := os.Readlink(f.join(name)); link == nil && sniff.IsAnnexLink(target) {
		if _, missing := os.Stat(f.join(name)); errors.Is(missing, fs.ErrNotExist) {
			return nil // reading it tells how to get the content
		}
	}
	for _, told := range []error{fs.ErrNotExist, fs.ErrPermission, syscall.ELOOP, syscall.ENOTDIR} {
		if errors.Is(err, told) {
			return nil // reading it tells
		}
	}
	if err == nil || f.inStore(name) {
		return nil
	}
	return fault.New(fault.BadData, "read data set", f.join(name), "the path leads out of the data set's folder").
		WithHint("copy the file there, or name it by an absolute path")
}

// inStore reports whether a name leads to a store that belongs to this copy of the data set: blobs beside
// snapshots/HASH in Hugging Face's cache, or .git/annex/objects of the repository that the folder is in.
func (f folder) inStore(name string) bool {
	if !filepath.IsLocal(name) {
		return false
	}
	dir, err := filepath.EvalSymlinks(f.dir)
	if err != nil {
		return false
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return false
	}
	target, err := filepath.EvalSymlinks(f.join(name))
	if err != nil {
		return false
	}
	if target, err = filepath.Abs(target); err != nil {
		return false
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		stores := []string{filepath.Join(dir, ".git", "annex", "objects")}
		if filepath.Base(filepath.Dir(dir)) == "snapshots" {
			stores = append(stores, filepath.Join(dir, "..", "..", "blobs"))
		}
		for _, s := range stores {
			if rel, err := filepath.Rel(s, target); err == nil && filepath.IsLocal(rel) {
				return true
			}
		}
	}
	return false
}

// read reads a whole file.
func (f folder) read(name string) ([]byte, error) {
	path, err := f.find(name)
	if err != nil {
		return nil, err
	}
	return readFile(path, "text")
}

// readFile reads a file of text. A file of another kind is refused before it is read; want is what
// the error says, also are kinds that it may be.
func readFile(path, want string, also ...sniff.Kind) ([]byte, error) {
	const op = "read data set"
	if err := inputfile.Check(op, path); err != nil {
		return nil, err
	}
	if err := sniff.Other(op, path, sniff.File(path), want, append(also, sniff.JSON)...); err != nil {
		return nil, err
	}
	return inputfile.Read(op, path, math.MaxInt64)
}

func (f folder) words(_ context.Context, name string) ([]Word, error) {
	path, err := f.find(name)
	if err != nil {
		return nil, err
	}
	return ReadWords(path)
}

func (f folder) phones(_ context.Context, name string) ([]Word, error) {
	path, err := f.find(name)
	if err != nil {
		return nil, err
	}
	text, err := readFile(path, "text", sniff.UTF16)
	if err != nil {
		return nil, err
	}
	return readPhones(bytes.NewReader(text), path)
}
