// Package raw holds what the readers of brain files share: files within a budget, compressed streams that cannot
// explode, XML that cannot nest or refer, and numbers of any type and byte order.
//
// Its budget: a reader allocates no more than a small multiple of what a file holds, and what a compressed file may
// expand to is compared with what its header declares, with deflate's best ratio, and with [MaxBytes].
package raw
