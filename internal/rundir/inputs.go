package rundir

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
)

// ErrInputChanged is matched by the error about a file that is not what a run began with.
var ErrInputChanged = errors.New("an input changed")

// InputsKnown reports whether this process began the run, or compared its inputs with those that it began with.
func (r *Run) InputsKnown() bool { return r.fresh || r.inputsKnown }

// KnowInputs records that the inputs are those that the run began with, or may differ.
func (r *Run) KnowInputs() { r.inputsKnown = true }

// SameInput returns an error unless a file is the input that a manifest records. One that is not there is an error
// that matches fs.ErrNotExist.
func SameInput(op string, in results.ManifestInput) error {
	file, size, err := inputfile.Open(op, in.Path)
	if err != nil {
		return err
	}
	defer file.Close()
	changed := func(why string, args ...any) error {
		f := fault.New(fault.BadData, op, in.Path, why, args...).WithHint("put it back, or allow changed data")
		f.Err = ErrInputChanged
		return f
	}
	if size != in.Bytes {
		return changed("has %d bytes; it had %d when the run began", size, in.Bytes)
	}
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return inputfile.Error(op, in.Path, err)
	}
	if sum := fmt.Sprintf("%x", h.Sum(nil)); sum != in.SHA256 {
		return changed("has SHA-256 %.12s…; it had %.12s… when the run began", sum, in.SHA256)
	}
	return nil
}

// ChangedInputs compares files with those that a manifest records, but for those that skip reports, and yields an error
// for each that differs. Files that are not there are passed over: who reads one finds that out.
func ChangedInputs(ctx context.Context, op string, inputs []results.ManifestInput, skip func(path string) bool) (
	changed []error, err error) {
	for _, in := range inputs {
		if err := context.Cause(ctx); err != nil {
			return nil, err
		}
		if skip(in.Path) {
			continue
		}
		switch err := SameInput(op, in); {
		case err == nil || errors.Is(err, fs.ErrNotExist):
		case errors.Is(err, ErrInputChanged):
			changed = append(changed, err)
		default:
			return nil, err
		}
	}
	return changed, nil
}
