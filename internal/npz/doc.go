// Package npz lists and reads the arrays in an npz archive of NumPy: a zip archive of .npy files.
//
// A member that is stored as it is can be mapped where [stored.Array.Offset] says, and its rows or columns are
// read in any order. A member that is deflated is unpacked from its start, once for reads in the order of the
// file; what it unpacks to must be as long as the archive says, and its CRC is compared when its last element is
// read. Only headers are read by [Open].
//
// Arrays of Python objects, text and records are listed as what cannot be read. Members that are encrypted,
// compressed in another way, listed twice or overlapping are refused with the whole file.
package npz
