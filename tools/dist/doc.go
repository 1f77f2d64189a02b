// Command dist packs the command bwlm for machines without Go: a tarball with libtorch's CPU libraries, or a Python
// wheel that takes the PyTorch of its environment. make dist and make wheel call it; it reads what they built and the
// pinned wheels of PyTorch.
//
//	go run ./tools/dist tarball -bin bin/bwlm -binding bin/libbwlm_torch.so -cache ~/.cache/bwlm -out out/dist
//	go run ./tools/dist wheel -bin bin/bwlm -binding bin/libbwlm_torch-2.15.so -platform linux_x86_64 -out out/dist
//
// Equal inputs give equal bytes: files are sorted, and all times are SOURCE_DATE_EPOCH. A package whose programs name
// a library that is neither in it nor in a Linux base system is refused, and so is a module without a licence that is
// known.
package main
