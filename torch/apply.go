package torch

import "runtime"

// into runs a kernel on operands (nil for an absent one) and writes its results to out. It panics
// for a tensor whose owner has ended, and returns an error for one of a scope that runs on another
// thread.
func (o op) into(out []handle, a args, ts ...*Tensor) *Error {
	var room [8]handle
	a.t = room[:0]
	for _, t := range ts {
		if t == nil {
			a.t = append(a.t, nil)
			continue
		}
		a.t = append(a.t, t.live(o))
		if t.s != nil {
			a.worker, a.line = t.s.worker, t.s.line
		}
	}
	var err *Error
	if a.line != nil && o.name != describe.name {
		err = a.line.kernel(o, a, out, ts)
	} else {
		err = o.call(a, out)
	}
	runtime.KeepAlive(ts) // an unreachable arena frees its tensors, but not before this point
	return err
}

// home returns the innermost scope among the operands. It panics for operands of two closures.
func (o op) home(ts []*Tensor) *Scope {
	var s *Scope
	for _, t := range ts {
		if t == nil || t.s == nil {
			continue
		}
		t.live(o)
		if s != nil && s.root != t.s.root {
			Failf(o.name, "operands come from two closures")
		}
		if s == nil || t.s.depth > s.depth {
			s = t.s
		}
	}
	if s == nil {
		Failf(o.name, "no operand is in a scope; use Scope.Attach")
	}
	s.check(o)
	return s
}

// on runs a kernel with one result, which belongs to the innermost scope among the operands.
func (o op) on(ts ...*Tensor) *Tensor { return o.with(nil, nil, ts...) }

// ints is on with integer arguments.
func (o op) ints(t *Tensor, i ...int) *Tensor { return o.with(i, nil, t) }

// with is on with integer and float arguments.
func (o op) with(i []int, f []float64, ts ...*Tensor) *Tensor {
	var out [1]handle
	return o.many(out[:], i, f, ts).own(out[0])
}

// many runs a kernel with len(out) results and returns the scope that must own them.
func (o op) many(out []handle, i []int, f []float64, ts []*Tensor) *Scope {
	s := o.home(ts)
	var room [8]int64
	n := room[:0]
	for _, x := range i {
		n = append(n, int64(x))
	}
	if err := o.into(out, args{flags: s.flags(), i: n, f: f}, ts...); err != nil {
		err.fail(ts...)
	}
	return s
}

// change runs a kernel that modifies its operands, which may all belong to arenas, and has no
// result. It panics outside a closure: there, libtorch would start a team of threads for the thread
// that happens to run the caller.
func (o op) change(a args, ts ...*Tensor) {
	if onWorker() == 0 {
		Failf(o.name, "outside a closure; use Do")
	}
	if err := o.into(nil, a, ts...); err != nil {
		err.fail(ts...)
	}
}
