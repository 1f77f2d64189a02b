package dataset

import "context"

// Input is a value that a data set loads from a file or from memory. The zero Input is absent.
type Input[T any] struct {
	Path string // the file, for the manifest of a run; "" if the value is in memory
	Load func(context.Context) (T, error)
}

// Value returns an Input of a value in memory.
func Value[T any](v T) Input[T] {
	return Input[T]{Load: func(context.Context) (T, error) { return v, nil }}
}

// Absent reports whether there is nothing to load.
func (in Input[T]) Absent() bool { return in.Load == nil }
