package audio

import (
	"errors"
	"io"
	"io/fs"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// reading is the operation that errors of this package name.
const reading = "read audio"

// bad makes the error of a recording that is not what it must be. locate adds the name of the
// recording.
func bad(why string, args ...any) *fault.Error {
	return fault.New(fault.BadData, reading, "", why, args...)
}

// shield runs a call into a decoder of another project. A decoder may panic on bad bytes, which
// must not end a service: the panic becomes an error. Code of this package does not run inside it.
func shield(call func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = bad("the decoder failed on it: %v", p).WithHint("the file is damaged; convert it again")
		}
	}()
	return call()
}

// An input keeps the error of a failed read, since decoders return its text at best.
type input struct {
	io.ReaderAt
	failed error
}

// ReadAt reads and keeps the first error other than io.EOF.
func (in *input) ReadAt(p []byte, off int64) (int, error) {
	n, err := in.ReaderAt.ReadAt(p, off)
	if err != nil && err != io.EOF && in.failed == nil {
		in.failed = err
		var disk *fs.PathError
		if errors.As(err, &disk) {
			in.failed = disk.Err // locate adds the path
		}
	}
	return n, err
}

// locate completes an error that leaves the package: it adds the recording's name, and a kind where
// there is none.
func (in *input) locate(name string, err *error) {
	if *err == nil || *err == io.EOF {
		return
	}
	var f *fault.Error
	switch {
	case in.failed != nil:
		f = fault.Wrap(fault.IO, reading, "", in.failed)
	case !errors.As(*err, &f):
		f = fault.Wrap(fault.BadData, reading, "", *err)
	}
	if f.Path == "" {
		f.Path = quote.OneLine(name)
	}
	*err = f
}
