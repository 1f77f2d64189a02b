package bidsdata

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
)

const reading = "read bids"

// maxFiles bounds the files of a tree. Large data sets have some 100,000.
const maxFiles = 1 << 22

// Tree is a folder with the names of its files.
type Tree struct {
	Root  string
	Files []Name // those with names of BIDS, sorted by path

	// Notes are about the data set as a whole: scans that its authors exclude, and what else is to be known.
	Notes []string

	excluded []string
	logs     []string               // settings of fMRIPrep
	sidecars map[string]sidecarFile // read so far
	byFolder map[string][]Name      // JSON files
}

// Open lists the folder of a data set. Links to folders are not followed, and hidden folders are skipped.
func Open(root string) (*Tree, error) {
	t := &Tree{Root: root, sidecars: map[string]sidecarFile{}, byFolder: map[string][]Name{}}
	if info, err := os.Stat(root); err != nil {
		return nil, inputfile.Error(reading, root, err)
	} else if !info.IsDir() {
		return nil, fault.New(fault.Missing, reading, quote.OneLine(root), "is no folder").
			WithHint("give the folder of the data set")
	}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return inputfile.Error(reading, p, err)
		case d.IsDir() && p != root && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir():
			return nil
		case len(t.Files) == maxFiles:
			return fault.New(fault.BadData, reading, quote.OneLine(root), "there are more than %d files", maxFiles).
				WithHint("give the folder of one data set")
		}
		inside, err := filepath.Rel(root, p)
		if err != nil {
			return inputfile.Error(reading, p, err)
		}
		if n, ok := parseName(filepath.ToSlash(inside)); ok {
			t.Files = append(t.Files, n)
			if d.Name() == "fmriprep.toml" {
				t.logs = append(t.logs, n.Path)
			}
			if n.Ext == ".json" {
				folder := path.Dir(n.Path)
				t.byFolder[folder] = append(t.byFolder[folder], n)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(t.Files, func(a, b Name) int { return strings.Compare(a.Path, b.Path) })
	return t, t.readExcluded()
}

// path is where a file is on disk.
func (t *Tree) path(inside string) string { return filepath.Join(t.Root, filepath.FromSlash(inside)) }

// has reports whether there is a file, with content or as a link without it.
func (t *Tree) has(inside string) bool {
	_, err := os.Lstat(t.path(inside))
	return err == nil
}

// folders are those from the root down to that of a file.
func folders(file string) []string {
	out := []string{"."}
	dir := path.Dir(file)
	if dir == "." {
		return out
	}
	for i, c := range dir {
		if c == '/' {
			out = append(out, dir[:i])
		}
	}
	return append(out, dir)
}
