package raw

import (
	"errors"
	"os"
	"syscall"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// MaxBytes bounds the size of one file, and its expanded size.
const MaxBytes = 1 << 30

// ReadFile reads the file at path, of at most MaxBytes.
func ReadFile(op, path string) ([]byte, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fault.Wrap(fault.Missing, op, quote.OneLine(path), errors.New("is a folder or device, not a file")).
			WithHint("check the path")
	}
	return inputfile.Read(op, path, MaxBytes)
}

// Bad is the error of a file that is not what it must be.
func Bad(what, path, why string, args ...any) *fault.Error {
	return fault.New(fault.BadData, what, quote.OneLine(path), why, args...)
}

// Damaged is Bad for content that no sound program writes.
func Damaged(what, path string, err error) *fault.Error {
	return Bad(what, path, "%s", quote.OneLine(err.Error())).
		WithHint("the file is damaged or was made by a faulty program: get it again")
}

// OfSystem reports whether an error of reading came from the operating system: a disk that fails, not a file that is
// damaged.
func OfSystem(err error) bool {
	var errno syscall.Errno
	return errors.As(err, &errno)
}
