// Package raw is shared by the readers of brain files: files of bounded size, compressed streams of
// bounded expansion, XML without deep nesting and references, and numbers of any type and byte
// order.
//
// A reader allocates no more than a small multiple of the size of a file. The expanded size of a
// compressed file is compared with what its header declares, with deflate's best ratio, and with
// [MaxBytes].
package raw
