// Package hdf5 reads numeric arrays from HDF5 files: those of h5py 2 and 3, of PyTables and of
// MATLAB 7.3, which laboratories use for responses.
//
// [Open] checks the file's superblock, [File.List] finds the data sets, and [Dataset.ReadRows] reads
// some rows of one. A row is a run of the last axis, so an array of (repeats, rows, voxels) has
// repeats × rows rows. An array of one axis has rows of one element. Memory holds one chunk at a time.
// Where a data set is contiguous, [Dataset.InPlace] gives its offset, so that other programs can map
// it.
//
// # What is read
//
//   - Superblocks 0 to 3, behind a user block or not.
//   - Groups as symbol tables, as link messages and as fractal heaps, hard and soft links.
//   - Object headers 1 and 2, layout messages 1 to 5: compact, contiguous, and chunked by a B-tree of
//     version 1 or 2, a single chunk, an implicit index, a fixed or an extensible array.
//   - Filters deflate, shuffle, fletcher32 and lzf, with filter masks.
//   - Integers of 8 to 64 bits, IEEE floats of 16 to 64 bits, either byte order, h5py's bool and the
//     bit fields that PyTables writes for it.
//   - Attributes that are numbers or text.
//
// Other features are refused by their name: virtual data sets, external files and links, text, compound
// and complex numbers, other filters, shared messages, offsets that are not of 8 bytes.
//
// # Caveats
//
// Contiguous data have no checksum. A flipped bit in them is a wrong number, and only a digest of the
// whole file shows it. An array that was never written is refused, although h5py reads its fill
// value; single missing chunks are the fill value ([Dataset.MissingChunks] counts them). MATLAB's axes
// are reversed in the file: its (rows, voxels) are (voxels, rows) here, and the attribute MATLAB_class
// tells such arrays.
//
// A File and its data sets are used by one goroutine at a time.
//
// # Hostile files
//
// Every offset and size is compared with the file before memory is set aside. Checksums are verified
// where the format has them. Groups are visited once, trees are bounded in depth, and all structures
// that one call reads are bounded by a multiple of the file's size, which bounds memory and time. A chunk
// may decode to no more than [maxChunk], and than the declared array needs.
//
// The format is described in "HDF5 File Format Specification Version 3.0" and, where that is vague, by
// the source of libhdf5.
package hdf5
