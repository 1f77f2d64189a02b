// Package activations keeps tensors on disk under the hash of all that they are computed from, so that what one run has
// computed another need not compute again.
//
// A [Store] is a folder with one file for each tensor: a line of JSON (type, shape, what it is,
// SHA-256 of all that) and the elements. It needs no index: whoever can name all
// that goes into a tensor, and hashes it into a [Key], finds the tensor or finds nothing. Files
// appear whole, by renaming, and are checked whenever they are read; one that is damaged is
// removed, reported and so computed again. Several processes may use a folder at once. The folder
// is kept to a size: what was used least recently goes first, but nothing that was used since the
// store was opened, as a run that needs more than fits would otherwise push out each tensor before
// its turn comes again.
//
// # Caveats
//
// The hash is only as good as what is hashed into it; package brain/extract lists its parts. Files
// are not synced, since a power cut costs no more than computing them again. The time of a file's
// last use is its modification time.
package activations
