package torch_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/torch"
)

func nothing(*torch.Scope) error { return nil }

func TestNestedDo(t *testing.T) {
	infer(t, func(s *torch.Scope) {
		assert.ErrorIs(t, torch.Infer(context.Background(), nothing), torch.ErrNested)
		assert.NoError(t, torch.Infer(s.Context(), func(inner *torch.Scope) error {
			assert.NoError(t, torch.Infer(inner.Context(), nothing))
			assert.NoError(t, torch.Infer(s.Context(), nothing), "the outer closure runs too")
			return nil
		}))
		ctx, cancel := context.WithCancel(s.Context())
		defer cancel()
		assert.NoError(t, torch.Infer(ctx, nothing))
		elsewhere := make(chan error)
		go func() { elsewhere <- torch.Infer(s.Context(), nothing) }()
		assert.ErrorIs(t, <-elsewhere, torch.ErrNested, "the worker might be waiting for that goroutine")
	})
}

func TestContextOfAnEndedClosure(t *testing.T) {
	var ctx context.Context
	infer(t, func(s *torch.Scope) { ctx = s.Context() })
	assert.NoError(t, torch.Infer(ctx, nothing), "is as good as any other")
	infer(t, func(*torch.Scope) { assert.ErrorIs(t, torch.Infer(ctx, nothing), torch.ErrNested) })
}

func TestWorkerSurvivesGoexit(t *testing.T) {
	noLeak(t)
	for range 5 {
		done := make(chan bool)
		go func() {
			defer close(done)
			_ = torch.Infer(context.Background(),
				func(s *torch.Scope) error { s.Zeros(3); runtime.Goexit(); return nil })
			t.Error("Goexit did not reach the caller")
		}()
		<-done
	}
	infer(t, func(s *torch.Scope) { assert.Equal(t, 0., s.Zeros(1).Item()) })
}

func TestForeignPanicReachesCaller(t *testing.T) {
	noLeak(t)
	caught := func(fn func(s *torch.Scope) error) (p *torch.Panic) {
		defer func() { p, _ = recover().(*torch.Panic) }()
		_ = torch.Infer(t.Context(), fn)
		return nil
	}
	p := caught(func(s *torch.Scope) error { s.Zeros(2); panic("boom") })
	require.NotNil(t, p)
	assert.Equal(t, "boom", p.Value)
	assert.Contains(t, string(p.Stack), "TestForeignPanicReachesCaller", "the stack is the closure's")
	assert.ErrorContains(t, p, "boom")
	assert.NoError(t, p.Unwrap())
	p = caught(func(s *torch.Scope) error {
		return torch.Infer(s.Context(), func(*torch.Scope) error { panic(io.ErrUnexpectedEOF) })
	})
	require.NotNil(t, p, "through a nested closure, wrapped once")
	assert.ErrorIs(t, p, io.ErrUnexpectedEOF)
	assert.Equal(t, io.ErrUnexpectedEOF, p.Value)
}

func TestErrorsAreReturned(t *testing.T) {
	assert.ErrorIs(t, torch.Infer(t.Context(), func(*torch.Scope) error { return io.EOF }), io.EOF)
	assert.ErrorIs(t, torch.Train(t.Context(), 1, func(*torch.Scope) error { return io.EOF }), io.EOF)
	assert.ErrorIs(t, torch.Setup(torch.SetupOptions{Workers: 2}), torch.ErrStarted)
	assert.Equal(t, 2, torch.Threads())
}

func TestCancelBetweenOperations(t *testing.T) {
	noLeak(t)
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	err := torch.Infer(ctx, func(s *torch.Scope) error {
		x := s.Zeros(1)
		cancel(why)
		x.Add(x)
		return errors.New("went on")
	})
	assert.ErrorIs(t, err, why)
	assert.ErrorIs(t, torch.Infer(ctx, nothing), why)
}

func TestTrainingStepRunsWhole(t *testing.T) {
	noLeak(t)
	ctx, cancel := context.WithCancel(t.Context())
	assert.NoError(t, torch.Train(ctx, 0, func(s *torch.Scope) error {
		cancel()
		x := s.Zeros(1).AddScalar(1)
		s.Frozen(func(f *torch.Scope) *torch.Tensor { return f.Attach(x).AddScalar(1) })
		return torch.Infer(s.Context(), func(s *torch.Scope) error { s.Attach(x).AddScalar(1); return nil })
	}))
	assert.ErrorIs(t, torch.Train(ctx, 0, nothing), context.Canceled)
}

func TestCancelWhileWaitingForAWorker(t *testing.T) {
	release := make(chan bool)
	var busy, all sync.WaitGroup
	for range workers() {
		busy.Add(1)
		all.Go(func() {
			assert.NoError(t, torch.Infer(context.Background(),
				func(*torch.Scope) error { busy.Done(); <-release; return nil }))
		})
	}
	busy.Wait()
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("waited long enough")
	ran := false
	time.AfterFunc(10*time.Millisecond, func() { cancel(why) })
	assert.ErrorIs(t, torch.Infer(ctx, func(*torch.Scope) error { ran = true; return nil }), why)
	assert.False(t, ran)
	close(release)
	all.Wait()
}

func TestFreshGoroutinesSeeNoForeignMode(t *testing.T) {
	noLeak(t)
	for range 50 {
		var wg sync.WaitGroup
		wg.Go(func() {
			assert.NoError(t, torch.Infer(context.Background(), func(s *torch.Scope) error { s.Zeros(1); return nil }))
		})
		wg.Go(func() {
			assert.NoError(t, torch.Train(context.Background(), 1, func(s *torch.Scope) error {
				assert.True(t, s.Full(1, 1).RequireGrad(true).MulScalar(2).RequiresGrad())
				return nil
			}))
		})
		wg.Wait()
	}
}

// An inference inside a closure makes its tensors where the closure does, so that they go together;
// elsewhere on the CPU.
func TestInferStaysOnTheDeviceOfItsClosure(t *testing.T) {
	outer := torch.Mode{Grad: true, Dropout: true, Seed: 3, Device: torch.CUDA(1), Compute: torch.BFloat16}
	require.NoError(t, torch.Do(t.Context(), outer, func(s *torch.Scope) error {
		return torch.Infer(s.Context(), func(s *torch.Scope) error {
			assert.Equal(t, torch.Mode{Device: torch.CUDA(1)}, s.Mode())
			return nil
		})
	}))
	infer(t, func(s *torch.Scope) { assert.Equal(t, torch.Mode{}, s.Mode()) })
}

func TestTheCPUHasNothingToWaitFor(t *testing.T) {
	infer(t, func(s *torch.Scope) { s.Zeros(1000) })
	require.NoError(t, torch.CPU.Wait())
	assert.Zero(t, torch.CPU.PeakMemory(), "the system knows")
	assert.ErrorContains(t, torch.CUDA(99).Wait(), "synchronize")
	assert.Zero(t, torch.CUDA(99).PeakMemory())
}

func TestManyGoroutinesSameBits(t *testing.T) {
	noLeak(t)
	m := newModel(t, 64)
	run := func(ctx context.Context) (out []float32, err error) {
		err = torch.Infer(ctx, func(s *torch.Scope) error {
			out = m.forward(s.Normal(0, 1, 2, 50, 64)).Float32s()
			return nil
		})
		return out, err
	}
	want, err := run(t.Context())
	require.NoError(t, err)
	var warm sync.WaitGroup // each worker has its team of threads now
	for range 4 * workers() {
		warm.Go(func() { _, _ = run(context.Background()) })
	}
	warm.Wait()
	before := procStatus(t, "Threads")
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			got, err := run(context.Background())
			assert.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
	wg.Wait()
	assert.LessOrEqual(t, procStatus(t, "Threads"), before+8, "threads are bounded, and fewer than callers")
}
