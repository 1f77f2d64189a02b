package ckpt

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
)

// CheckContent says whether path is a file that can be read for its content: it follows links, but
// refuses a dangling one, a folder, a device, a pipe (opening one would wait for ever), and the small
// texts that git-annex and Git LFS leave in place of content that has not been fetched. An input that
// is not there is fault.Missing, one that cannot be a file of data is fault.BadData.
func CheckContent(path string) error { return checkContent("open", path) }

func checkContent(what, path string) error {
	where := oneLine(path)
	info, err := os.Stat(path)
	if err != nil {
		target, linkErr := os.Readlink(path)
		switch {
		case linkErr != nil || !errors.Is(err, fs.ErrNotExist):
			return readError(what, path, err)
		case strings.Contains(target, "annex/objects/"):
			return noContent(what, where)
		}
		return fault.New(fault.Missing, what, where, "the link leads to %s, which does not exist", oneLine(target)).
			Advise("mend the link")
	}
	switch {
	case info.IsDir():
		return fault.New(fault.BadData, what, where, "is a folder, want a file").Advise("name a file in it")
	case !info.Mode().IsRegular():
		return fault.New(fault.BadData, what, where, "is a device, pipe or socket, want a file").Advise("copy the data to a file")
	}
	if info.Size() > maxPointer {
		return nil
	}
	return checkPointer(what, path)
}

// The first bytes of a git-annex pointer (git-annex internals, "pointer files") and of a Git LFS pointer
// (git-lfs docs/spec.md, version line), which are never longer than maxPointer.
const (
	annexPointer = "/annex/objects/"
	lfsPointer   = "version https://git-lfs.github.com/spec/"
	maxPointer   = 32 << 10
)

// openFile opens the file at path, if CheckContent has nothing against it, and gives its size.
func openFile(what, path string) (*os.File, int64, error) {
	if err := checkContent(what, path); err != nil {
		return nil, 0, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, readError(what, path, err)
	}
	info, err := file.Stat()
	if err != nil {
		file.Close()
		return nil, 0, readError(what, path, err)
	}
	return file, info.Size(), nil
}

// checkPointer refuses a pointer that stands in place of a file.
func checkPointer(what, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return readError(what, path, err)
	}
	defer file.Close()
	start := make([]byte, len(lfsPointer))
	n, err := io.ReadFull(file, start)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return readError(what, path, err)
	}
	start = start[:n]
	switch {
	case bytes.HasPrefix(start, []byte(annexPointer)):
		return noContent(what, oneLine(path))
	case string(start) == lfsPointer:
		return fault.New(fault.Missing, what, oneLine(path), "the file is a Git LFS pointer without content").
			Advise("run `git lfs pull`")
	}
	return nil
}

func noContent(what, where string) error {
	return fault.New(fault.Missing, what, where, "the file is a git-annex link without content").
		Advise("run `datalad get %s`", where)
}
