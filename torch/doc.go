// Package torch is a small and safe interface to libtorch: tensors, automatic differentiation and the
// optimizer step that speech models need. It is the only package of this module that imports "C".
// Package nn, below it, has layers and models.
//
// # Scopes
//
// Tensors live in a [Scope]. [Infer], [Train] and [Do] open a scope for a closure and free all of its
// tensors when the closure returns; no finalizer is involved. The result of an operation belongs to the
// innermost scope among its operands, so that formulas need not mention scopes:
//
//	var power float64
//	err := torch.Infer(ctx, func(s *torch.Scope) error {
//		x := s.FromFloat32(samples, 1, len(samples)) // (1, S)
//		power = x.Square().Mean().Item()
//		return nil
//	})
//
// [Tensor.Scoped] is a nested scope that keeps one result. Use it around each layer of a deep model.
// Tensors that must outlive a closure (weights, optimizer state, caches) belong to an [Arena]. An
// operation whose operands all belong to arenas needs a scope: [Scope.Attach] one of them.
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
//		w.CopyFrom(s.Frozen(func(s *torch.Scope) *torch.Tensor {
//			return s.Attach(w).Sub(w.Grad(s).MulScalar(.1))
//		}))
//		torch.ClearGrad(w)
//		return nil
//	})
//
// # Errors
//
// Tensor operations panic with an [*Error]. Infer, Train and Do recover that type and return it.
// Functions that neither take nor return a Tensor return errors. Other panics of a closure reach the
// caller of Do as a [*Panic] with the closure's stack.
//
// # Threads
//
// Closures run on a small fixed set of locked OS threads, since libtorch stores the gradient mode and
// its OpenMP team per thread. The scope carries the mode (gradients, dropout, device, seed), and each
// call passes it to libtorch, so that no goroutine sees the mode of another. A scope must only be used
// by the goroutine that runs its closure; it returns an error to others. Do inside a closure with
// [Scope.Context] runs in place. With any other context, or on another goroutine, it returns
// [ErrNested] instead of waiting for itself. An inference ends between two operations when its context
// does. A training step is not interrupted, and neither are closures nested in it.
//
// # Processes
//
// Speed and memory depend on settings of the process, which a program chooses by calling [Setup] first
// thing in main:
//
//	func main() {
//		if err := torch.Setup(torch.SetupOptions{KeepMemory: true, Reexec: true}); err != nil {
//			log.Fatal(err)
//		}
//		device, err := torch.OpenDevice("auto")
//		...
//	}
//
// Without it, OpenMP threads that wait for work spin, which slows down other programs on the same
// processors, and malloc maps the large tensors of each step anew. Results are the same. What it costs
// to do without depends on who else computes. Training steps of a very small model (hidden size 64, 16
// windows of 1 s), two threads on two cores, medians: alone on the machine 17 ms without and 27 ms with
// Setup, since threads that sleep must be woken; two such programs at the same time 44 to 76 ms without
// and 59 to 61 ms with it; with 20 other busy processes more than 600 ms without and 59 to 143 ms with
// it. At the size of WavLM Base, where a step takes seconds, waiting does not matter. KeepMemory and
// the number of threads take effect in a running process. OpenMP reads its waiting policy before main,
// so it needs Reexec, or these variables where the program is started:
//
//	OMP_WAIT_POLICY=PASSIVE GOMP_SPINCOUNT=5000 MALLOC_ARENA_MAX=1
//
// CUDA is not linked. [OpenDevice] loads it when a device needs it, which must happen before the first
// closure.
//
// # Profiles
//
// With a context from [Profile.Context], closures record their times: of the parts that code names
// ([Part], [Scope.Part]), forward and backward, and of single kernels.
//
// # Caveats
//
//   - On the CPU, results are bit-identical for equal inputs and an equal number of threads. Another
//     number of threads can change the last bits of weight gradients.
//   - On CUDA, random numbers and dropout masks are those of the CPU, and sums agree to rounding.
//     Results are bit-identical from run to run. Float32 products are not rounded to TF32.
//   - Running out of memory is an Error with OutOfMemory set, unless the kernel ends the process first.
//     A limit on address space, or a memory limit of Go, does not limit libtorch.
//   - A closure must not wait for a goroutine that calls Do with another context than the closure's:
//     there may be no other worker.
package torch
