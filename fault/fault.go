// Package fault has the one error type of this module: operation, path, reason, hint and a kind.
//
// Every package that reads files, configuration or devices returns a [*Error]. The kind classifies
// the failure: the command bwlm exits with its number, and a service can map it to a status with
// [KindOf]. Causes are wrapped, so that the errors of the standard library are found by errors.Is:
//
//	run, err := predict.Open(ctx, dir, predict.Options{})
//	switch {
//	case errors.Is(err, fs.ErrNotExist): // no such run
//	case fault.KindOf(err) == fault.BadData: // the file is damaged, err names it
//	}
//
// Four conventions hold for all packages:
//
//   - A missing file matches [fs.ErrNotExist].
//   - An operation that a context ended matches the context's error or its cause. It has kind
//     [Interrupted] if the cause is an error of the context.
//   - The use of a model, tensor or predictor after its Close matches [ErrClosed].
//   - An allocation that failed in libtorch matches [ErrMemory].
//
// Tensor operations do not use this type. They panic with a *torch.Error, which torch.Do returns.
package fault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
)

// Kind classifies an error. Its number is the exit code of the command.
type Kind int

// The kinds, numbered as in sysexits(3) where it has one.
const (
	Internal    Kind = 1   // a bug, or an error that no package has classified
	Usage       Kind = 2   // wrong arguments or options
	BadData     Kind = 65  // an input exists and its content is wrong
	Missing     Kind = 66  // an input does not exist or cannot be opened
	Unavailable Kind = 69  // a device, library or closed object cannot be used
	Memory      Kind = 71  // out of memory
	Exists      Kind = 73  // an output exists already, or another process has locked it
	IO          Kind = 74  // reading or writing failed
	Temporary   Kind = 75  // may succeed when tried again
	Interrupted Kind = 130 // ended by SIGINT or by a context
	Terminated  Kind = 143 // ended by SIGTERM
)

// ErrClosed is matched by the errors of using a model, tensor or predictor after its Close. Such an
// error has kind Unavailable, if it has no other.
var ErrClosed = errors.New("used after Close")

// ErrMemory is matched by the errors of allocations that failed. Such an error has kind Memory, if it has no other.
var ErrMemory = errors.New("out of memory")

// Error is one failure. It prints as "op: path: reason; hint".
type Error struct {
	Kind   Kind
	Op     string // the operation: "read dataset", "load weights"
	Path   string // the file, with a position or name in it: file, file:line:column, file:tensor
	Reason string // the reason, with the offending value; if empty, the text of Err
	Hint   string // what the user can do; may be empty
	Err    error  // the cause; may be nil
}

// Error returns the message on one line.
func (e *Error) Error() string {
	reason := e.Reason
	if reason == "" && e.Err != nil {
		reason = e.Err.Error()
	}
	s := ""
	for _, part := range []string{e.Op, e.Path, reason} {
		if s != "" && part != "" {
			s += ": "
		}
		s += part
	}
	if e.Hint != "" {
		s += "; " + e.Hint
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// New returns an error of kind k. The reason is formatted as by fmt.Sprintf. An error of kind
// Missing wraps [fs.ErrNotExist].
func New(k Kind, op, path, reason string, args ...any) *Error {
	if len(args) > 0 {
		reason = fmt.Sprintf(reason, args...)
	}
	e := &Error{Kind: k, Op: op, Path: path, Reason: reason}
	if k == Missing {
		e.Err = fs.ErrNotExist
	}
	return e
}

// WithHint sets the hint, formatted as by fmt.Sprintf, and returns e.
func (e *Error) WithHint(hint string, args ...any) *Error {
	if len(args) > 0 {
		hint = fmt.Sprintf(hint, args...)
	}
	e.Hint = hint
	return e
}

// Wrap returns an error of kind k with a cause, whose text is the reason.
func Wrap(k Kind, op, path string, err error) *Error {
	return &Error{Kind: k, Op: op, Path: path, Err: err}
}

// KindOf returns the kind of err: that of the first *Error in its chain, and Internal if there is
// none. An error that matches one of a context is Interrupted, unless the *Error around it is
// Terminated or Temporary. Otherwise, an error that has no kind but Internal is Unavailable if it matches
// [ErrClosed] and Memory if it matches [ErrMemory].
func KindOf(err error) Kind {
	kind := Internal
	if e, ok := errors.AsType[*Error](err); ok {
		kind = e.Kind
	}
	switch {
	case kind == Terminated || kind == Temporary:
	case errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return Interrupted
	case kind == Internal && errors.Is(err, ErrClosed):
		return Unavailable
	case kind == Internal && errors.Is(err, ErrMemory):
		return Memory
	}
	return kind
}
