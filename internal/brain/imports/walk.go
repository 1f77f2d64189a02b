package imports

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
)

// mostFiles of folders: more is a mistake about the folder.
const mostFiles = 100_000

// EachFile tells do the absolute paths of the files below some folders, each once, folder by folder. What is hidden, by
// a name that begins with a dot, is passed over, and links to folders are not followed.
func (f *Found) EachFile(ctx context.Context, folders []string, do func(path string)) error {
	seen := map[string]bool{}
	for _, folder := range folders {
		root, err := folderAt(folder)
		if err != nil {
			return err
		}
		real, err := filepath.EvalSymlinks(root)
		if err != nil {
			return inputfile.Error(op, folder, err)
		}
		if err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
			switch {
			case context.Cause(ctx) != nil:
				return context.Cause(ctx)
			case err != nil:
				return inputfile.Error(op, path, err)
			case strings.HasPrefix(e.Name(), ".") && path != root:
				if e.IsDir() {
					return fs.SkipDir
				}
				return nil
			case e.IsDir():
				return nil
			case len(seen) >= mostFiles:
				return f.Fail(folder, "has more than %d files", mostFiles).
					WithHint("name the folder of the responses and recordings")
			}
			if at := filepath.Join(real, strings.TrimPrefix(path, root)); !seen[at] {
				seen[at] = true
				do(path)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// folderAt is the absolute path of a folder, or of what a link to one leads to, since walks do not begin at links.
func folderAt(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", fault.Wrap(fault.IO, op, path, err)
	}
	if info, err := os.Lstat(abs); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		if real, err := filepath.EvalSymlinks(abs); err == nil {
			return real, nil
		}
	}
	return abs, nil
}

// AudioExts are the ends of the names of recordings that are read.
var AudioExts = []string{".wav", ".flac", ".mp3"}

// IsAudio reports whether a file is a recording by its name.
func IsAudio(path string) bool {
	return slices.Contains(AudioExts, strings.ToLower(filepath.Ext(path)))
}
