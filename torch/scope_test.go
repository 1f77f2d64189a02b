package torch_test

import (
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/torch"
)

func TestScopeFreesEverything(t *testing.T) {
	var escaped *torch.Tensor
	infer(t, func(s *torch.Scope) {
		x := s.FromFloat32([]float32{1, 2, 3}, 3)
		escaped = x.Add(x)
		assert.Equal(t, []float32{2, 4, 6}, escaped.Float32s())
	})
	assert.Contains(t, failure(t, func(s *torch.Scope) { escaped.Add(escaped) }).Msg, "after its scope ended")
	assert.Contains(t, failure(t, func(s *torch.Scope) { s.Zeros(3).Add(escaped) }).Msg, "after its scope ended")
	assert.Contains(t, failure(t, func(s *torch.Scope) { s.Attach(escaped) }).Msg, "after its scope ended")
	assert.Panics(t, func() { escaped.Float32s() })
}

func TestScopeIsNotUsedAfterItsEnd(t *testing.T) {
	var ended *torch.Scope
	infer(t, func(s *torch.Scope) { ended = s })
	assert.Contains(t, failure(t, func(*torch.Scope) { ended.Zeros(1) }).Msg, "scope has ended")
}

func TestTidyKeepsOneResult(t *testing.T) {
	infer(t, func(s *torch.Scope) {
		x := s.Full(2, 4)
		before := torch.Live()
		y := x.Scoped(func(x *torch.Tensor) *torch.Tensor { return x.Add(x).Mul(x).AddScalar(1) })
		assert.Equal(t, before+1, torch.Live())
		assert.Equal(t, []float32{9, 9, 9, 9}, y.Float32s())
		var lost *torch.Tensor
		same := x.Scoped(func(inner *torch.Tensor) *torch.Tensor { lost = inner.Neg(); return x })
		assert.Equal(t, x.Float32s(), same.Float32s(), "a tensor from outside may be returned")
		assert.Panics(t, func() { lost.Neg() })
		deep := x.Scoped(func(x *torch.Tensor) *torch.Tensor {
			return x.Scoped(func(x *torch.Tensor) *torch.Tensor { return x.Neg() })
		})
		assert.Equal(t, []float32{-2, -2, -2, -2}, deep.Float32s())
		assert.Equal(t, before+3, torch.Live())
	})
}

func TestTidyFreesWhenItFails(t *testing.T) {
	infer(t, func(s *torch.Scope) {
		x := s.Full(2, 4)
		before := torch.Live()
		assert.Panics(t, func() {
			x.Scoped(func(x *torch.Tensor) *torch.Tensor { return x.Neg().MatMul(s.Zeros(3)) })
		})
		assert.Equal(t, before+1, torch.Live(), "the operand of s alone is there")
	})
}

func TestScopeRefusesStrangers(t *testing.T) {
	infer(t, func(s *torch.Scope) {
		x := s.Zeros(2)
		err := torch.Infer(s.Context(), func(inner *torch.Scope) error { inner.Zeros(2).Add(x); return nil })
		assert.ErrorContains(t, err, "two closures")
		for name, use := range map[string]func(){
			"operation":   func() { x.Add(x) },
			"new":         func() { s.Zeros(1) },
			"read":        func() { x.Float32s() },
			"shape":       func() { x.Neg().Shape() },
			"use":         func() { s.Attach(x) },
			"requireGrad": func() { x.RequireGrad(true) },
		} {
			refused := make(chan any)
			go func() {
				defer func() { refused <- recover() }()
				use()
			}()
			if r := <-refused; assert.NotNil(t, r, name) {
				assert.ErrorContains(t, r.(error), "outside its closure", name)
			}
		}
	})
}

func TestModeStaysWithTheScope(t *testing.T) {
	train(t, 1, func(s *torch.Scope) {
		w := s.Full(3, 2).RequireGrad(true)
		assert.NoError(t, torch.Infer(s.Context(), func(s *torch.Scope) error {
			assert.False(t, s.Attach(w).MulScalar(2).RequiresGrad())
			return nil
		}))
		frozen := s.Frozen(func(f *torch.Scope) *torch.Tensor { return f.Attach(w).MulScalar(2) })
		assert.False(t, frozen.RequiresGrad())
		assert.Equal(t, []float32{6, 6}, frozen.Float32s())
		y := w.Square().Sum()
		y.Backward()
		assert.Equal(t, []float32{6, 6}, w.Grad(s).Float32s())
	})
}

func TestArenaKeepsWithoutHistory(t *testing.T) {
	noLeak(t)
	arena := torch.NewArena()
	defer arena.Close()
	require.NoError(t, torch.Train(t.Context(), 1, func(s *torch.Scope) error {
		x := s.Full(3, 2).RequireGrad(true)
		w := arena.Keep(x.MulScalar(2))
		assert.True(t, x.MulScalar(2).RequiresGrad())
		assert.False(t, w.RequiresGrad())
		assert.Nil(t, w.Scope())
		return nil
	}))
}

func TestArenaOutlivesScopesUntilClosed(t *testing.T) {
	noLeak(t)
	arena := torch.NewArena()
	var w *torch.Tensor
	require.NoError(t, torch.Infer(t.Context(), func(s *torch.Scope) error {
		w = arena.Keep(s.Full(3,
			2))
		return nil
	}))
	assert.Equal(t, []float32{3, 3}, w.Float32s(), "outside a closure")
	var readers sync.WaitGroup
	for range 4 { // what a tensor remembers of itself must be no race
		readers.Go(func() { assert.Equal(t, 2, w.Dim(0)) })
	}
	readers.Wait()
	infer(t, func(s *torch.Scope) {
		assert.Equal(t, []float32{4, 4}, s.Full(1, 2).Add(w).Float32s())
		assert.Equal(t, []float32{6, 6}, s.Attach(w).Add(w).Float32s())
	})
	assert.Contains(t, failure(t, func(*torch.Scope) { w.Add(w) }).Msg, "use Scope.Attach")
	arena.Close()
	arena.Close()
	assert.Contains(t, failure(t, func(s *torch.Scope) { s.Attach(w) }).Msg, "arena was closed")
	assert.Contains(t, failure(t, func(s *torch.Scope) { arena.Keep(s.Zeros(1)) }).Msg, "arena is closed")
}

func TestArenaIsKeptAliveByItsTensors(t *testing.T) {
	noLeak(t)
	var w *torch.Tensor
	require.NoError(t, torch.Infer(t.Context(), func(s *torch.Scope) error {
		w = torch.NewArena().Keep(s.Full(3,
			2))
		return nil
	}))
	for range 3 {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	assert.Equal(t, []float32{3, 3}, w.Float32s())
	before := torch.Live()
	w = nil
	assert.Eventually(t, func() bool { runtime.GC(); return torch.Live() == before-1 }, 10*time.Second,
		time.Millisecond,
		"a forgotten arena is collected")
}
