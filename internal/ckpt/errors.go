package ckpt

import (
	"errors"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/inputfile"
	"github.com/brainwavlm/bwlm/internal/quote"
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
