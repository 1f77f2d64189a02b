// Package responses turns the responses of a data set into those that are fitted and scored: without drift, the mean
// over repeats, z-scored. Rows are computed from the files when they are read, in bounded memory, and are bit-identical
// to those of a matrix in memory.
package responses
