// Package joblib lists and reads the arrays in files by joblib.dump, and in plain pickles of NumPy arrays. It
// runs nothing: [internal/pickle] interprets the pickle, whose names must be those of arrays, plain values and
// the clocks of stories (TRFile of the Huth laboratory).
//
// An array is named by the keys that lead to it, joined by dots: "souls", or "runs.0" for the first item of a
// list; one that is the whole file is "array". Its elements lie in the file as they are, with padding before
// them since joblib 1.1, and can be mapped where [stored.Array.Offset] says; no alignment is promised.
//
// A compressed file (zlib, gzip, bzip2, xz, LZMA, LZ4) is one stream. [Open] unpacks it once, to list the
// arrays and to compare its checksum, and keeps nothing of it; a second pass reads the elements, in the order
// of the arrays without going back. Unpacking needs the window of the format: at most 8 MiB, and for LZMA and
// xz at most 32 times the file if that is more, and never more than 256 MiB. What expands more than 1100-fold
// is refused.
//
// Caveats: arrays of Python objects and of other classes than numpy.ndarray are refused with the whole file.
// Text, complex numbers and dates are listed as what cannot be read. Files by joblib before 0.10, which has
// arrays in files of their own, are refused. LZ4 files by joblib have no checksum, and neither have those of
// LZMA. LZMA and xz unpack at less than a tenth of the speed of zlib.
package joblib
