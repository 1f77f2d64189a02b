// Package npy reads and writes NumPy's .npy files of booleans, integers and floats.
//
// [Read] reads a whole array of any number of dimensions. [OpenColumns] reads some columns of a
// matrix at a time, and [Stat] with [File.Open] any run of elements, where all of it may not fit in
// memory. [Write] replaces a file as a whole or not at all.
//
// A file is treated as hostile until it has been checked: its header must describe exactly the
// bytes that follow, and memory is set aside only after that. Objects, text and records are
// refused. NaN and infinities pass.
package npy
