package ckpt

import (
	"errors"
	"io"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
	"github.com/brainwavlm/bwlm/internal/sniff"
)

// The operations that errors name.
const (
	readSafetensors = "read safetensors"
	readModel       = "read model"
)

// place is the Path of an error about a file, or about a tensor in a file, on one line.
func place(file, tensor string) string {
	switch {
	case tensor == "":
		return quote.OneLine(file)
	case file == "":
		return quote.OneLine(quote.Short(tensor))
	}
	return quote.OneLine(file) + ":" + quote.OneLine(quote.Short(tensor))
}

// advised is an error with a hint. FILE in the hint stands for the file.
type advised struct {
	error
	do string
}

// readError makes the fault of an error that happened while a file was read: one of the operating
// system is IO or Missing, any other means that the data are bad.
func readError(op, file string, err error) *fault.Error {
	tensor := ""
	if t := (*tensorError)(nil); errors.As(err, &t) {
		tensor, err = t.tensor, t.error
	}
	e := inputfile.Error(op, file, err)
	e.Path = place(file, tensor)
	if a := (*advised)(nil); errors.As(err, &a) {
		e.Hint = strings.ReplaceAll(a.do, "FILE", e.Path)
	}
	return e
}

// wrongKind is the error of a file that cannot be read as what it should be: that it is of another
// kind, if it is, or else err.
func wrongKind(op, file string, r io.ReaderAt, size int64, err error) error {
	kind := sniff.Of(r, size)
	if op == readSafetensors {
		if kind == sniff.Torch {
			return fault.New(fault.BadData, op, place(file, ""), "is a PyTorch file, want a safetensors file").
				WithHint("give it the name pytorch_model.bin, or convert it")
		}
		if other := sniff.Other(op, file, kind, "a safetensors file", sniff.Safetensors); other != nil {
			return other
		}
		return readError(op, file, err)
	}
	other := sniff.Other(op, file, kind, "a PyTorch file", sniff.Torch, sniff.ZIP, sniff.Pickle, "a tar archive")
	if other != nil {
		return other
	}
	return readError(op, file, err)
}
