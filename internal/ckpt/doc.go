// Package ckpt reads and writes the files that hold the weights of models: safetensors checkpoints,
// in one file or in shards. It also reads those of PyTorch (.bin, .pt). Bytes go in; names, dtypes,
// shapes and slices come out. It knows nothing of models.
//
// # Reading
//
// A file is treated as hostile until it has been checked: every size that it declares is compared
// with the size of the file before memory is allocated for it, so a reader never allocates more
// than a small multiple of the file. The values are not checked: NaN and infinities pass.
//
// The safetensors rules are those of the reference implementation (huggingface/safetensors 0.8,
// file safetensors/src/tensor.rs), and stricter where those are ambiguous: no key may occur twice,
// no field may be unknown, nothing may precede the opening brace, and no tensor may have NUL in its
// name or the name of the metadata. Files are read with ordinary reads and never mapped: truncating
// a mapped file would kill the process.
//
// # Writing
//
// Equal input gives equal bytes. A file appears whole or not at all, also after a crash or a power
// cut. A process that is killed leaves its temporary file behind (".NAME.*.tmp").
//
// # PyTorch files
//
// A file by torch.save is a zip archive with a pickle in it, and a pickle is a program. Loading one
// in Python or in libtorch runs code that a stranger wrote (CVE-2025-32434 and CVE-2026-24747
// concern the loader that was meant to be safe). [OpenTorch] runs nothing. It accepts the opcodes
// that tensors, dictionaries, lists, text and numbers need, and calls of three names, none of which
// is looked up. Everything else is refused. Each storage must be as long as the pickle declares,
// each tensor must lie within its storage, and all of them together may not be much larger than the
// file. Entries that are compressed or occur twice are refused, though torch.load accepts them.
// Files from before PyTorch 1.6, TorchScript and big-endian files are not read. Elements are copied
// as they are; neither PyTorch nor this package checks their CRC.
package ckpt
