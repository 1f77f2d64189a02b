// Package torch is a small, safe face of libtorch: tensors, automatic differentiation and the optimizer
// steps that speech models need. It is the only package of this module that imports "C".
//
// # Scopes
//
// Tensors live in a [Scope]. [Infer] and [Train] open one for a closure and free all of its tensors, in one
// call, when the closure ends; no finalizer is involved. A result is born in the innermost scope among its
// operands, so mathematics is written without mentioning scopes:
//
//	var power float64
//	err := torch.Infer(ctx, func(s *torch.Scope) error {
//		x := s.FromFloat32(samples, 1, len(samples)) // (1, S)
//		power = x.Square().Mean().Item()
//		return nil
//	})
//
// [Tensor.Scoped] is a nested scope that keeps one result; put it round every layer of a deep model. Tensors
// that must outlive a closure (weights, optimizer state, caches) belong to an [Arena]; among themselves they need
// [Scope.Attach] to enter a scope:
//
//	arena := torch.NewArena()
//	defer arena.Close()
//	var w *torch.Tensor
//	err := torch.Infer(ctx, func(s *torch.Scope) error {
//		w = arena.Keep(s.Zeros(8)).RequireGrad(true)
//		return nil
//	})
//	err = torch.Train(ctx, seed, func(s *torch.Scope) error {
//		s.Attach(w).AddScalar(-1).Square().Sum().Backward()
//		w.CopyFrom(s.Frozen(func(s *torch.Scope) *torch.Tensor { return s.Attach(w).Sub(w.Grad(s).MulScalar(.1)) }))
//		torch.ClearGrad(w)
//		return nil
//	})
//
// # Errors
//
// Tensor mathematics panics with [*Error]; Infer, Train and [Do] recover exactly that type and return it.
// Functions that neither take nor return a Tensor return errors. Other panics reach the caller of Do with the
// closure's stack.
//
// # Profiles
//
// A context from [Profile.Context] makes closures say where their time goes: in parts that code names ([Part], [Scope.Part]),
// forward and backward, and in single kernels.
//
// # Threads
//
// Closures run on a small fixed set of locked OS threads ([Configure]), since libtorch keeps gradient mode and
// its OpenMP team per thread. The scope carries the mode (gradients, dropout, device, seed) and every call
// passes it down, so nothing leaks from one goroutine to another. A scope is for the goroutine that runs its
// closure and refuses all others. Do called inside a closure with [Scope.Context] runs in place; with any other
// context, or on another goroutine, it fails with [ErrNested] rather than wait for itself. An inference ends between
// two operations when its context does; a training step runs whole, and so does all that it nests.
//
// # Caveats
//
// On the CPU, results are bit-identical for equal inputs and thread count; another thread count may change last
// bits of weight gradients. CUDA keeps random numbers and dropout the same, sums only to rounding; it gives the same
// bits each time, too, and computes f32 in f32 (no TF32). An OS or a Go limit
// on address space is no limit on libtorch: running out of memory is an Error with OutOfMemory set, unless the
// kernel's OOM killer comes first. A goroutine that a closure starts must not be waited for in the closure if it
// calls Do with another context than the closure's: the pool may have no other worker.
package torch
