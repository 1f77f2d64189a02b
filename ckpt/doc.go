// Package ckpt reads and writes the files that hold the weights of models: safetensors checkpoints,
// in one file or in shards. It also reads those of PyTorch (.bin, .pt). Bytes go in; names, dtypes,
// shapes and slices come out. It knows nothing of models.
//
// # Reading
//
// A file is taken for hostile until it has been checked: every size that it declares is compared
// with the size of the file before memory is set aside for it, so a reader never allocates more
// than a small multiple of the file. What the checks cannot vouch for are the values: NaN and
// infinities pass.
//
// The safetensors rules are those of the reference implementation (huggingface/safetensors 0.8,
// file safetensors/src/tensor.rs), and stricter where that one lets ambiguity through: no key may
// stand twice, no field may be unknown, nothing may precede the opening brace, and no tensor name
// may hold NUL or stand for the metadata. Files are read with ordinary reads, never mapped: a
// mapped file that somebody truncates would kill the process.
//
// # Writing
//
// Equal input gives equal bytes. A file appears whole or not at all, also after a crash or a power
// cut. A process that is killed leaves its temporary file behind (".NAME.*.tmp").
//
// # PyTorch files
//
// A file by torch.save is a zip archive with a pickle in it, and a pickle is a program: to load one
// in Python, and even to hand one to libtorch, is to run what a stranger wrote (CVE-2025-32434 and
// CVE-2026-24747 are about the loader that was to make it safe). [OpenTorch] runs nothing. It knows
// the opcodes that tensors, dictionaries, lists, text and numbers need, and three names that a call
// may bear, none of which is ever looked up; everything else is refused, and there is no other way
// in. Each storage must be as long as the pickle says, each tensor must lie within its storage, and
// all of them together may not be much larger than the file. Entries that are compressed or stand
// twice are refused, though torch.load accepts them. Not read at all: files from before PyTorch
// 1.6, TorchScript, and big-endian ones. Elements are copied as they are; neither PyTorch nor this
// package checks their CRC.
package ckpt
