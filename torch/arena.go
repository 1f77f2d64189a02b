package torch

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Arena owns tensors that outlive closures: weights, optimizer state, caches. Close frees them.
// Without Close, the garbage collector frees them some time after the arena and all of its tensors
// have become unreachable.
type Arena struct {
	mu     sync.Mutex
	held   *holding
	closed atomic.Bool
}

// holding is separate from Arena and holds handles, not tensors, so that the cleanup keeps neither
// alive.
type holding struct{ hs []handle }

func (h *holding) free() {
	free(h.hs)
	h.hs = nil
}

// NewArena returns an empty arena.
func NewArena() *Arena {
	a := &Arena{held: &holding{}}
	runtime.AddCleanup(a, (*holding).free, a.held)
	return a
}

// Keep returns a tensor of the arena with the elements of t and without its history. The elements
// are shared, not copied: a view keeps the memory of the whole tensor that it is a view of.
func (a *Arena) Keep(t *Tensor) *Tensor {
	var out [1]handle
	if err := detach.into(out[:], args{}, t); err != nil {
		err.fail(t)
	}
	kept := &Tensor{h: out[0], a: a}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed.Load() {
		free(out[:])
		panic(closedError("keep", "the arena is closed"))
	}
	a.held.hs = append(a.held.hs, kept.h)
	kept.must() // filled in before goroutines share the tensor
	return kept
}

// Err returns an *Error that matches fault.ErrClosed after Close, and nil before.
func (a *Arena) Err() error {
	if a.closed.Load() {
		return closedError("arena", "the arena is closed")
	}
	return nil
}

// Close frees all tensors of the arena. Their use after Close panics with an *Error that matches
// fault.ErrClosed. Close must not run while an operation uses one of them. A second Close does
// nothing.
func (a *Arena) Close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed.Store(true)
	a.held.free()
}
