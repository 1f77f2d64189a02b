package hdf5

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
)

const reading = "read hdf5"

// refusal is a feature that is not read, in a file that is not damaged.
type refusal struct{ what, hint string }

func (r *refusal) Error() string { return r.what }

// resave is what to do about most features that are not read.
const resave = "write the array again with h5py: f.create_dataset(name, data=array)"

func unsupported(what string, args ...any) error {
	return &refusal{fmt.Sprintf(what, args...), resave}
}

// fault makes the error of reading the file, or its data set called name. The name may be "".
func (s *source) fault(name string, err error) error {
	if err == nil {
		return nil
	}
	if f := (*fault.Error)(nil); errors.As(err, &f) {
		return f
	}
	where := quote.OneLine(s.name)
	if name != "" {
		where += ":" + quote.OneLine(quote.Short(name))
	}
	var errno syscall.Errno
	if errors.As(err, &errno) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, fs.ErrClosed) {
		return inputfile.Error(reading, s.name, err)
	}
	e := fault.New(fault.BadData, reading, where, "%s", quote.OneLine(err.Error()))
	if r := (*refusal)(nil); errors.As(err, &r) {
		return e.WithHint("%s", r.hint)
	}
	return e.WithHint("the file is damaged or was made by a faulty program: get it again")
}
