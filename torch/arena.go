package torch

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Arena owns tensors that outlive closures: weights, optimizer state, caches. Close frees them; where that is
// forgotten, the garbage collector does it some time after neither the arena nor any of its tensors can be reached.
type Arena struct {
	mu     sync.Mutex
	held   *holding
	closed atomic.Bool
}

// holding is apart from Arena, and has handles rather than tensors, so that the cleanup keeps neither alive.
type holding struct{ hs []handle }

func (h *holding) free() {
	free(h.hs)
	h.hs = nil
}

// NewArena makes an empty arena.
func NewArena() *Arena {
	a := &Arena{held: &holding{}}
	runtime.AddCleanup(a, (*holding).free, a.held)
	return a
}

// Keep gives the arena its own handle to t, without history. The elements are shared, not copied: a view keeps the
// whole tensor that it looks into.
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
		Failf("keep", "the arena is closed")
	}
	a.held.hs = append(a.held.hs, kept.h)
	kept.must() // asked for once, before goroutines share it
	return kept
}

// Close frees all tensors of the arena; later use of them panics. It must not run while an operation uses one. A
// second Close does nothing.
func (a *Arena) Close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed.Store(true)
	a.held.free()
}
