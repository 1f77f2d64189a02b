package dataset

import "context"

// Input is one thing that a data set can load, from a file or from memory. The zero Input is absent.
type Input[T any] struct {
	Path string // the file, for the manifest of a run; "" if it is made in memory
	Load func(context.Context) (T, error)
}

// Value is an Input that is already in memory.
func Value[T any](v T) Input[T] {
	return Input[T]{Load: func(context.Context) (T, error) { return v, nil }}
}

// Absent tells whether there is nothing to load.
func (in Input[T]) Absent() bool { return in.Load == nil }
