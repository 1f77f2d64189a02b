package ckpt

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/brainwavlm/bwlm/fault"
)

// What failed, as errors say it.
const (
	readSafetensors = "read safetensors"
	readModel       = "read model"
	readNPY         = "read npy"
)

const damaged = "the file is damaged or was made by a faulty program: get it again"

// place names a file, or a tensor in a file, on one line.
func place(file, tensor string) string {
	switch {
	case tensor == "":
		return oneLine(file)
	case file == "":
		return oneLine(short(tensor))
	}
	return oneLine(file) + ":" + oneLine(short(tensor))
}

// oneLine quotes text that holds something unprintable.
func oneLine(text string) string {
	for _, r := range text {
		if !strconv.IsPrint(r) {
			return strconv.Quote(text)
		}
	}
	return text
}

// advised is an error that knows what to do about it; FILE in do stands for the file.
type advised struct {
	error
	do string
}

// readError makes what went wrong while a file was read into a fault: the operating system's errors are
// IO or Missing, all others say that the data are bad.
func readError(what, file string, err error) *fault.Error {
	var t *tensorError
	if errors.As(err, &t) {
		file, err = place(file, t.tensor), t.error
	} else {
		file = place(file, "")
	}
	e := &fault.Error{Kind: fault.BadData, What: what, Where: file, Why: reason(err), Do: damaged, Err: err}
	var errno syscall.Errno
	var a *advised
	switch {
	case errors.As(err, &a):
		e.Do = strings.ReplaceAll(a.do, "FILE", file)
	case errors.Is(err, io.ErrUnexpectedEOF):
		e.Kind, e.Why, e.Do = fault.IO, "the file became shorter while it was read", "try again when nothing writes it"
	case errors.Is(err, fs.ErrClosed):
		e.Kind, e.Do = fault.IO, ""
	case errors.Is(err, fs.ErrNotExist):
		e.Kind, e.Do = fault.Missing, "check the path"
	case errors.Is(err, fs.ErrPermission):
		e.Kind, e.Do = fault.Missing, "make it readable for this user"
	case errors.As(err, &errno):
		e.Kind, e.Do = fault.IO, "check the disk"
	}
	return e
}

// reason is err without the path that a fault names already.
func reason(err error) string {
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
