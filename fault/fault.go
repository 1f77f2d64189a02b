// Package fault is the one error shape of bwlm: what failed, where, why, and what to do about it.
//
// Every package that meets the outside world (files, configuration, devices) returns these errors.
// The command prints them on one line and turns the Kind into its exit code; a service reads the Kind
// with errors.As. Tensor mathematics does not use this package: it panics with *torch.Error.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says who can mend an error. Its number is the exit code of the command.
type Kind int

// The kinds, after sysexits(3) where it has one.
const (
	Internal    Kind = 1  // a mistake in bwlm itself
	Usage       Kind = 2  // wrong flags or experiment file
	BadData     Kind = 65 // an input exists but is not what it must be
	Missing     Kind = 66 // an input does not exist or cannot be opened
	Unavailable Kind = 69 // a device or library is not there
	Memory      Kind = 71 // out of memory
	Exists      Kind = 73 // the output exists already or is locked by another run
	IO          Kind = 74 // reading or writing failed
	Temporary   Kind = 75 // may go well if tried again
	Interrupted Kind = 130
	Terminated  Kind = 143
)

// Error is one failure. It prints as "op: path: reason; hint".
type Error struct {
	Kind   Kind
	Op     string // the operation: "read dataset", "load weights"
	Path   string // the file, with a line or a name within it: file, file:line:column, file:tensor
	Reason string // the reason, with the offending value
	Hint   string // what the user can do; may be empty
	Err    error  // the cause, if another error is behind this one
}

// Error gives the one line.
func (e *Error) Error() string {
	var parts []string
	for _, p := range []string{e.Op, e.Path, e.Reason} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	if e.Reason == "" && e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	s := strings.Join(parts, ": ")
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// New returns an error of kind k. The reason is formatted as by fmt.Sprintf.
func New(k Kind, op, path, reason string, args ...any) *Error {
	if len(args) > 0 {
		reason = fmt.Sprintf(reason, args...)
	}
	return &Error{Kind: k, Op: op, Path: path, Reason: reason}
}

// WithHint sets the hint, formatted as by fmt.Sprintf, and returns e.
func (e *Error) WithHint(hint string, args ...any) *Error {
	if len(args) > 0 {
		hint = fmt.Sprintf(hint, args...)
	}
	e.Hint = hint
	return e
}

// Wrap returns an error of kind k around a cause, whose text is the reason.
func Wrap(k Kind, op, path string, err error) *Error {
	return &Error{Kind: k, Op: op, Path: path, Err: err}
}

// KindOf finds the kind of err, Internal if it has none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}
