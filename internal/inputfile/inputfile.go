// Package inputfile opens files that a user names. It refuses what is no file of data, and tells a
// file that was not fetched yet from one that is damaged.
package inputfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/sniff"
)

// Check reports whether path is a file that can be read for its content. It follows links. It
// refuses a dangling link, a folder, a device, a pipe (opening one would block), and the pointers
// that git-annex and Git LFS leave in place of content that has not been fetched. The error has
// kind [fault.Missing] if the input is not there and [fault.BadData] if it cannot be a file of
// data; op is its operation.
func Check(op, path string) error {
	where := quote.OneLine(path)
	info, err := os.Stat(path)
	if err != nil {
		return missing(op, path, err)
	}
	switch {
	case info.IsDir():
		return fault.New(fault.BadData, op, where, "is a folder, want a file").WithHint("name a file in it")
	case !info.Mode().IsRegular():
		return fault.New(fault.BadData, op, where, "is a device, pipe or socket, want a file").
			WithHint("copy the data to a file")
	}
	if info.Size() > sniff.MaxPointer {
		return nil
	}
	return checkPointer(op, path)
}

// maxLinks is the length of the longest chain of links that is followed, as in Linux.
const maxLinks = 40

// missing makes the error of a path that cannot be reached. It follows links to the one that leads
// nowhere, and tells one of git-annex, whose content has not been fetched, from others.
func missing(op, path string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return Error(op, path, err)
	}
	link := path
	for range maxLinks {
		target, err := os.Readlink(link)
		if err != nil {
			break
		}
		if sniff.IsAnnexLink(target) {
			return noContent(op, quote.OneLine(path), quote.OneLine(link))
		}
		next := target
		if !filepath.IsAbs(next) {
			next = filepath.Join(filepath.Dir(link), next)
		}
		if _, err := os.Lstat(next); err != nil {
			return fault.New(fault.Missing, op, quote.OneLine(path), "the link leads to %s, which does not exist",
				quote.OneLine(target)).WithHint("repair the link")
		}
		link = next
	}
	return Error(op, path, err)
}

// Open opens a file that [Check] accepts and returns its size in bytes.
func Open(op, path string) (*os.File, int64, error) {
	if err := Check(op, path); err != nil {
		return nil, 0, err
	}
	// The path may name a pipe by now, which would block without O_NONBLOCK.
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, Error(op, path, err)
	}
	info, err := file.Stat()
	switch {
	case err != nil:
		err = Error(op, path, err)
	case !info.Mode().IsRegular():
		err = fault.New(fault.BadData, op, quote.OneLine(path), "is not a regular file")
	default:
		return file, info.Size(), nil
	}
	file.Close()
	return nil, 0, err
}

// Read reads a whole file of at most limit bytes that [Check] accepts.
func Read(op, path string, limit int64) ([]byte, error) {
	file, size, err := Open(op, path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if size > limit {
		return nil, fault.New(fault.BadData, op, quote.OneLine(path), "the file has %d bytes, at most %d are allowed",
			size, limit)
	}
	text := make([]byte, size)
	if err := Fill(file, text, 0); err != nil {
		return nil, Error(op, path, err)
	}
	return text, nil
}

// Fill reads len(data) bytes from offset. A file that has become shorter since its size was taken
// is [io.ErrUnexpectedEOF].
func Fill(r io.ReaderAt, data []byte, offset int64) error {
	n, err := r.ReadAt(data, offset)
	if n == len(data) {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// checkPointer refuses a pointer that stands in place of a file.
func checkPointer(op, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return Error(op, path, err)
	}
	defer file.Close()
	start := make([]byte, 1024)
	n, err := io.ReadFull(file, start)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return Error(op, path, err)
	}
	switch sniff.Bytes(start[:n]) {
	case sniff.Annex:
		return noContent(op, quote.OneLine(path), quote.OneLine(path))
	case sniff.LFS:
		return fault.Wrap(fault.Missing, op, quote.OneLine(path),
			errors.New("the file is a Git LFS pointer without content")).
			WithHint("run `git lfs pull`")
	}
	return nil
}

// noContent is the error of a file whose content git-annex has not fetched; link is the file that it
// manages, which may be one that the file leads to.
func noContent(op, where, link string) error {
	return fault.Wrap(fault.Missing, op, where, errors.New("the file is a git-annex link without content")).
		WithHint("run `datalad get %s`", link)
}

// Error makes the error of a file that cannot be read. An error of the operating system has kind
// [fault.Missing] or [fault.IO]; any other means that the content is wrong, [fault.BadData]. A
// fault is returned as it is.
func Error(op, path string, err error) *fault.Error {
	if f := (*fault.Error)(nil); errors.As(err, &f) {
		return f
	}
	e := &fault.Error{Kind: fault.BadData, Op: op, Path: quote.OneLine(path), Reason: Reason(err), Err: err,
		Hint: "the file is damaged or was made by a faulty program: get it again"}
	var errno syscall.Errno
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		e.Kind, e.Reason, e.Hint = fault.IO, "the file became shorter while it was read",
			"try again when nothing writes it"
	case errors.Is(err, fs.ErrClosed):
		e.Kind, e.Hint = fault.IO, ""
	case errors.Is(err, fs.ErrNotExist):
		e.Kind, e.Hint = fault.Missing, "check the path"
	case errors.Is(err, fs.ErrPermission):
		e.Kind, e.Hint = fault.Missing, "make it readable for this user"
	case errors.Is(err, syscall.ELOOP):
		e.Kind, e.Reason, e.Hint = fault.Missing, "the link leads back to itself", "repair the link"
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.ENAMETOOLONG):
		e.Kind, e.Hint = fault.Missing, "check the path"
	case errors.As(err, &errno):
		e.Kind, e.Hint = fault.IO, "check the disk"
	}
	return e
}

// Reason is the text of err without the path, which a fault names already.
func Reason(err error) string {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err.Error()
	case errors.As(err, &link):
		return link.Err.Error()
	}
	return err.Error()
}
