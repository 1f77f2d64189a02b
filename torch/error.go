package torch

import (
	"errors"
	"fmt"
	"strings"
)

// Error is a failed tensor operation.
type Error struct {
	Op          string  // the kernel
	Shapes      [][]int // of the operands, in order
	Msg         string  // libtorch's reason
	OutOfMemory bool
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

// Errors of Do that are not about mathematics.
var (
	// ErrNested is returned for a Do inside a closure that was not given the closure's own context, and for one that
	// was but runs on another goroutine: either might wait for itself.
	ErrNested = errors.New("torch: a closure is running; to nest, call on its goroutine and pass Scope.Context()")
	// ErrStarted is returned by Configure and LoadCUDA after the first closure.
	ErrStarted = errors.New("torch: already in use; call this before the first Infer, Train or Do")
)

// mostShapes is how many operands an Error names, those of the operation with most; an optimizer has hundreds.
const mostShapes = 6

// fail panics with an Error that names the operands' shapes.
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

// Failf panics with an *Error of the given operation, as a kernel would. Layers use it to refuse wrong shapes.
func Failf(op, format string, args ...any) {
	panic(&Error{Op: op, Msg: fmt.Sprintf(format, args...)})
}
