package audio

import (
	"errors"
	"os"
	"strconv"
	"syscall"

	"github.com/brainwavlm/bwlm/ckpt"
	"github.com/brainwavlm/bwlm/fault"
)

// openRegular opens a regular file and gives its size. Anything else is refused without waiting: a pipe that nobody
// writes to would block for ever, a device may never end.
func openRegular(path string) (*os.File, int64, error) {
	if err := ckpt.CheckContent(path); err != nil {
		if f := (*fault.Error)(nil); errors.As(err, &f) {
			f.What = what
		}
		return nil, 0, err
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, unopened(path, err)
	}
	// The path may name something else by now, and O_NONBLOCK has kept a pipe from blocking.
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fault.New(fault.BadData, what, oneLine(path), "it is not a regular file")
	}
	if err != nil {
		f.Close()
		return nil, 0, unopened(path, err)
	}
	return f, info.Size(), nil
}

// unopened gives the error of a file that cannot be opened its kind.
func unopened(path string, err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return f
	}
	return fault.Wrap(fault.Missing, what, oneLine(path), err)
}

// oneLine quotes a name that would break the one line of an error.
func oneLine(name string) string {
	for _, r := range name {
		if !strconv.IsPrint(r) {
			return strconv.Quote(name)
		}
	}
	return name
}
