// Package stored reads arrays of numbers that lie in files of several kinds, or in streams that are unpacked
// while they are read.
//
// A reader of a kind of file lists its arrays as [Array]: name, shape, type, order, and where the elements are.
// A [Reader] gives rows of them or columns, a piece at a time, so that an array need not fit in memory.
// [Choose] is the one rule of which array of a file is meant.
//
// Rows of an array that is stored by rows follow each other in the file, and columns of one that is stored by
// columns. The other way round, each row of each column is a read of its own; from a stream that can only be
// unpacked from its start ([Forward]), each call is then a pass over the stream. Values are not checked: NaN
// and infinities pass.
package stored
