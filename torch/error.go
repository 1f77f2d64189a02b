package torch

import (
	"errors"
	"fmt"
	"strings"

	"github.com/brainwavlm/bwlm/fault"
)

// Error is a failed tensor operation.
type Error struct {
	Op          string  // the kernel
	Shapes      [][]int // of the operands, in order
	Msg         string  // the reason, mostly in the words of libtorch
	OutOfMemory bool
	Err         error // what errors.Is finds, such as fault.ErrClosed; may be nil
}

// Unwrap returns Err, or else fault.ErrMemory if memory ran out.
func (e *Error) Unwrap() error {
	if e.Err == nil && e.OutOfMemory {
		return fault.ErrMemory
	}
	return e.Err
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("torch: " + e.Op)
	for i, s := range e.Shapes {
		b.WriteString([]string{" of ", " and "}[min(i, 1)])
		b.WriteString(strings.ReplaceAll(fmt.Sprint(s), " ", ", "))
	}
	return b.String() + ": " + strings.TrimSpace(e.Msg)
}

// Errors of Do and Setup that are no failures of an operation.
var (
	// ErrNested is returned by Do inside a closure if its context is not the closure's, or if it
	// runs on another goroutine than the closure. Either could wait for itself.
	ErrNested = errors.New("torch: a closure is running; to nest, call on its goroutine and pass Scope.Context()")
	// ErrStarted is returned by Setup and LoadCUDA after the first closure.
	ErrStarted = errors.New("torch: already in use; call this before the first Infer, Train or Do")
)

// mostShapes is the largest number of operands that an Error names. An optimizer step has hundreds.
const mostShapes = 6

// fail panics with e and the operands' shapes.
func (e *Error) fail(operands ...*Tensor) {
	for _, t := range operands[:min(len(operands), mostShapes)] {
		if t != nil && t.h != nil {
			if shape, err := t.describe(); err == nil {
				e.Shapes = append(e.Shapes, shape.dims)
			}
		}
	}
	panic(e)
}

// Failf panics with an *Error of an operation, as a kernel does. Layers use it for operands of a
// wrong shape.
func Failf(op, format string, args ...any) {
	panic(&Error{Op: op, Msg: fmt.Sprintf(format, args...)})
}

// closedError is the error of using a tensor or an arena after Close.
func closedError(op, msg string) *Error { return &Error{Op: op, Msg: msg, Err: fault.ErrClosed} }
