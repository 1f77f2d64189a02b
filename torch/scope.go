package torch

import (
	"context"
	"sync/atomic"
)

// Mode has the settings of the operations in a scope.
type Mode struct {
	Grad    bool   // record operations for Backward
	Dropout bool   // enable Tensor.Dropout
	Seed    uint64 // of the scope's random numbers
	Device  Device // of new tensors
	Compute DType  // in which linear layers multiply; Float32 (the zero value) leaves operands as they are
}

// Scope owns the tensors of one closure. It belongs to the goroutine that runs the closure.
type Scope struct {
	mode   Mode
	ctx    context.Context
	worker int32
	root   *Scope
	depth  int
	whole  bool   // in a training step, which a context does not interrupt
	draws  uint64 // number of random draws so far, counted in the root
	line   *line  // of a profile; may be nil
	ts     []*Tensor
	ended  atomic.Bool
}

// newScope returns the scope of a closure on a worker. The closure of outer, if not nil, encloses
// it.
func newScope(ctx context.Context, mode Mode, worker int32, outer *Scope) *Scope {
	s := &Scope{mode: mode, worker: worker, whole: mode.Grad || outer != nil && outer.whole, line: lineOf(ctx)}
	s.root = s
	s.ctx = context.WithValue(ctx, scopeKey{}, s)
	return s
}

// child returns a scope nested in s.
func (s *Scope) child() *Scope {
	return &Scope{mode: s.mode, ctx: s.ctx, worker: s.worker, root: s.root, depth: s.depth + 1, whole: s.whole,
		line: s.line}
}

// scopeKey is the key of the scope in the context of a closure.
type scopeKey struct{}

// enclosing returns the scope of the running closure that ctx derives from, nil if there is none.
func enclosing(ctx context.Context) *Scope {
	s, _ := ctx.Value(scopeKey{}).(*Scope)
	if s == nil || s.ended.Load() {
		return nil
	}
	return s
}

// Context returns the context of the closure. Do with this context, or one derived from it, runs in
// place.
func (s *Scope) Context() context.Context { return s.ctx }

// Mode returns the mode of the scope.
func (s *Scope) Mode() Mode { return s.mode }

func (s *Scope) flags() uint32 {
	if s.mode.Grad {
		return 1
	}
	return 0
}

func (s *Scope) own(h handle) *Tensor {
	t := &Tensor{h: h, s: s}
	s.ts = append(s.ts, t)
	return t
}

// close frees every tensor of the scope.
func (s *Scope) close() {
	hs := make([]handle, 0, len(s.ts))
	for _, t := range s.ts {
		if t.h != nil {
			hs = append(hs, t.h)
			t.h = nil
		}
	}
	free(hs)
	s.ts = nil
	s.ended.Store(true)
}

// check panics if operations in s must not run any more.
func (s *Scope) check(o op) {
	if s.ended.Load() {
		Failf(o.name, "its scope has ended")
	}
	if !s.whole && s.ctx.Err() != nil {
		panic(canceled{context.Cause(s.ctx)})
	}
}

// make runs a kernel without tensor operands.
func (s *Scope) make(o op, a args) *Tensor {
	s.check(o)
	a.flags, a.worker, a.line = s.flags(), s.worker, s.line
	var out [1]handle
	if err := o.into(out[:], a); err != nil {
		err.fail()
	}
	return s.own(out[0])
}

// seed returns the next seed of the scope's random numbers.
func (s *Scope) seed() int64 {
	s.root.draws++
	return int64(Seed(s.root.mode.Seed, s.root.draws))
}

// Attach returns a tensor of s that shares the elements and the history of t, a tensor of an arena
// or of a scope around s. It is needed for an operation whose operands all belong to arenas.
func (s *Scope) Attach(t *Tensor) *Tensor {
	s.check(alias)
	if t.s != nil && t.s.worker != s.worker {
		Failf(alias.name, "the tensor belongs to another closure")
	}
	var out [1]handle
	if err := alias.into(out[:], args{flags: s.flags(), worker: s.worker}, t); err != nil {
		err.fail(t)
	}
	return s.own(out[0])
}

// Frozen runs fn in a nested scope without gradients and returns its result, which belongs to s.
// Since an operation runs in the innermost scope among its operands, fn must attach tensors from
// outside to its own scope ([Scope.Attach]).
func (s *Scope) Frozen(fn func(s *Scope) *Tensor) *Tensor {
	inner := s.child()
	inner.mode.Grad = false
	defer inner.close()
	return fn(inner).moveTo(s)
}

// Seed hashes numbers into a seed, so that the random numbers of each event of a run (epoch,
// subject, story, window) do not depend on earlier events. It uses the finaliser of SplitMix64
// (Steele, Lea and Flood 2014).
func Seed(parts ...uint64) uint64 {
	var z uint64
	for _, p := range parts {
		z += p + 0x9E3779B97F4A7C15
		z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
		z = (z ^ (z >> 27)) * 0x94D049BB133111EB
		z ^= z >> 31
	}
	return z
}
