// Package mat lists and reads the arrays of numbers in MATLAB's files of version 4 (MATLAB 4 and save -v4) and
// version 5 (save -v6, -v7, and scipy's savemat), of either byte order. Version 7.3 is HDF5, which another package
// reads.
//
// A field of a struct is named "s.responses". MATLAB stores arrays by columns; a variable that is not compressed
// can be mapped where [stored.Array.Offset] says, unless MATLAB kept its numbers in a smaller type than its own.
// A compressed variable is unpacked once by [Open], which compares its checksum and keeps nothing, and once more
// for reads in the order of the file, that is of columns.
//
// Cells, objects, function handles, text, sparse matrices, complex numbers and arrays of several structs are
// listed as what they are and are no arrays. [File.Text] reads text, and cell arrays of texts.
package mat
