package disk

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// Strange is the error of a name that leads to something else than this program keeps there.
type Strange struct {
	Path string
	Is   string // what is there: "a link"
	Want string // "a regular file"
}

// Error describes what is there without the path, which a fault names.
func (e *Strange) Error() string { return fmt.Sprintf("is %s, want %s", e.Is, e.Want) }

// kindOf names the kind of a file.
func kindOf(mode fs.FileMode) string {
	switch mode.Type() {
	case 0:
		return regular
	case fs.ModeDir:
		return folder
	case fs.ModeSymlink:
		return "a link"
	case fs.ModeNamedPipe:
		return "a pipe"
	case fs.ModeSocket:
		return "a socket"
	}
	return "a device"
}

const (
	regular = "a regular file"
	folder  = "a folder"
)

// Fault returns the fault of the operation op on path: BadData for something strange or for a file larger than allowed,
// Missing where nothing is there, and IO for other errors of the operating system. A fault is returned as it is.
func Fault(op, path string, err error) error {
	if err == nil {
		return nil
	}
	if f := (*fault.Error)(nil); errors.As(err, &f) {
		return err
	}
	var strange *Strange
	if errors.As(err, &strange) {
		f := fault.Wrap(fault.BadData, op, quote.OneLine(strange.Path), strange)
		return f.WithHint("bwlm did not put it there: remove it, or put a copy of what it stands for in its place")
	}
	var errno syscall.Errno
	if errors.As(err, &errno) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrExist) {
		f := inputfile.Error(op, path, err)
		if f.Kind == fault.Missing && !errors.Is(err, fs.ErrNotExist) {
			f.Kind = fault.IO
		}
		switch {
		case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
			f.Hint = "free some space"
		case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
			f.Hint = "check the permissions, or choose another folder"
		}
		return f
	}
	return fault.Wrap(fault.BadData, op, quote.OneLine(path), err)
}
