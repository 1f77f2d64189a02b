package torch

import (
	"context"
	"sync/atomic"
)

// Mode is what a scope hands to each operation in it.
type Mode struct {
	Grad    bool   // record operations for Backward
	Dropout bool   // Tensor.Dropout drops
	Seed    uint64 // of the scope's random numbers
	Device  Device // where new tensors are made
	Compute DType  // the type in which linear layers multiply; Float32 (the zero value) leaves operands as they are
}

// Scope owns the tensors of one closure. It belongs to the goroutine that runs the closure.
type Scope struct {
	mode   Mode
	ctx    context.Context
	worker int32
	root   *Scope
	depth  int
	whole  bool   // in a training step, which the context does not interrupt
	draws  uint64 // random draws so far, in the root
	line   *line  // of a profile, or nil
	ts     []*Tensor
	ended  atomic.Bool
}

// newScope is the scope of a closure on a worker, inside the closure of outer unless that is nil.
func newScope(ctx context.Context, mode Mode, worker int32, outer *Scope) *Scope {
	s := &Scope{mode: mode, worker: worker, whole: mode.Grad || outer != nil && outer.whole, line: lineOf(ctx)}
	s.root = s
	s.ctx = context.WithValue(ctx, scopeKey{}, s)
	return s
}

// child is a scope inside s.
func (s *Scope) child() *Scope {
	return &Scope{mode: s.mode, ctx: s.ctx, worker: s.worker, root: s.root, depth: s.depth + 1, whole: s.whole, line: s.line}
}

// scopeKey is where the context of a closure has its scope.
type scopeKey struct{}

// enclosing is the scope of the running closure that ctx came from, nil if there is none.
func enclosing(ctx context.Context) *Scope {
	s, _ := ctx.Value(scopeKey{}).(*Scope)
	if s == nil || s.ended.Load() {
		return nil
	}
	return s
}

// Context is the context of the closure; a Do that is given it runs in place.
func (s *Scope) Context() context.Context { return s.ctx }

// Mode is the mode of the scope.
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

// check panics where an operation in s must not run.
func (s *Scope) check(o op) {
	if s.ended.Load() {
		Failf(o.name, "its scope has ended")
	}
	if !s.whole && s.ctx.Err() != nil {
		panic(canceled{context.Cause(s.ctx)})
	}
}

// make runs a kernel that has no tensor operands.
func (s *Scope) make(o op, a args) *Tensor {
	s.check(o)
	a.flags, a.worker, a.line = s.flags(), s.worker, s.line
	var out [1]handle
	if err := o.into(out[:], a); err != nil {
		err.fail()
	}
	return s.own(out[0])
}

// seed gives the next seed of the scope's random numbers.
func (s *Scope) seed() int64 {
	s.root.draws++
	return int64(Seed(s.root.mode.Seed, s.root.draws))
}

// Use gives a handle in s to a tensor of an arena, for operations none of whose operands are in a scope, or to one
// of a scope around s.
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

// Frozen runs fn without gradients in a nested scope and keeps its result. Tensors from outside have to enter by
// fn's scope (Use), since an operation runs in the innermost scope among its operands.
func (s *Scope) Frozen(fn func(s *Scope) *Tensor) *Tensor {
	inner := s.child()
	inner.mode.Grad = false
	defer inner.close()
	return fn(inner).moveTo(s)
}

// Seed mixes numbers into a seed, so that each event of a run (epoch, subject, story, window) has its own random
// numbers whatever came before. SplitMix64's finaliser (Steele, Lea, Flood 2014).
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
