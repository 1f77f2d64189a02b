package nn

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/torch"
)

const soon = 30 * time.Millisecond // in which what must wait would have happened

// counter is a store with one number.
func counter(t *testing.T) *Store {
	t.Helper()
	st := newStore(t)
	do(t, 1, func(s *torch.Scope) { st.Add("n", s.Zeros(1)) })
	return st
}

func nothing(*torch.Scope) error { return nil }

// start runs fn beside the test and gives a channel with what it returns.
func start(fn func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- fn() }()
	return done
}

func stillWaiting(t *testing.T, done <-chan error) {
	t.Helper()
	select {
	case err := <-done:
		assert.Fail(t, "did not wait", "%v", err)
	case <-time.After(soon):
	}
}

func TestOneTrainsAndInferenceWaitsForTheStep(t *testing.T) {
	st := counter(t)
	ss := Session{Stores: []*Store{st}}
	inside, finish := make(chan bool), make(chan bool)
	step := start(func() error {
		return ss.Train(t.Context(), 1, func(s *torch.Scope) error {
			close(inside)
			<-finish
			st.Param("n").CopyFrom(s.Full(5, 1))
			return nil
		})
	})
	<-inside
	assert.ErrorIs(t, ss.Train(t.Context(), 2, nothing), ErrBusy)

	var read float64
	infer := start(func() error {
		return ss.Infer(t.Context(), func(s *torch.Scope) error {
			read = s.Attach(st.Param("n")).Item()
			return nil
		})
	})
	stillWaiting(t, infer)

	ctx, cancel := context.WithCancelCause(t.Context())
	tired := start(func() error { return ss.Infer(ctx, nothing) })
	cancel(assert.AnError)
	assert.ErrorIs(t, <-tired, assert.AnError, "waiting ends with the context")

	other := Session{Stores: []*Store{counter(t)}}
	require.NoError(t, other.Train(t.Context(), 1, nothing), "another store is nobody's business")

	close(finish)
	require.NoError(t, <-step)
	require.NoError(t, <-infer)
	assert.Equal(t, 5., read)
	require.NoError(t, ss.Train(t.Context(), 2, nothing))
}

func TestManyInferAtTheSameTimeAndAStepWaitsForThem(t *testing.T) {
	ss := Session{Stores: []*Store{counter(t)}}
	var together sync.WaitGroup
	together.Add(2)
	finish := make(chan bool)
	var readers []<-chan error
	for range 2 {
		readers = append(readers, start(func() error {
			return ss.Infer(t.Context(), func(*torch.Scope) error {
				together.Done()
				<-finish
				return nil
			})
		}))
	}
	together.Wait() // only if both run at once
	step := start(func() error { return ss.Train(t.Context(), 1, nothing) })
	stillWaiting(t, step)
	close(finish)
	require.NoError(t, <-step)
	for _, done := range readers {
		require.NoError(t, <-done)
	}
}

func TestLeasesEndWithTheClosureHoweverItEnds(t *testing.T) {
	ss := Session{Stores: []*Store{counter(t)}}
	assert.ErrorIs(t, ss.Train(t.Context(), 1, func(*torch.Scope) error { return assert.AnError }), assert.AnError)
	var wrong *torch.Error
	assert.ErrorAs(t, ss.Train(t.Context(), 1, func(s *torch.Scope) error { s.Zeros(2).Reshape(3); return nil }),
		&wrong)
	assert.Panics(t, func() { _ = ss.Train(t.Context(), 1, func(*torch.Scope) error { panic("boom") }) })
	assert.Panics(t, func() { _ = ss.Infer(t.Context(), func(*torch.Scope) error { panic("boom") }) })
	require.NoError(t, ss.Train(t.Context(), 1, nothing))
	require.NoError(t, ss.Infer(t.Context(), nothing))
}

func TestNestedClosuresDoNotWaitForThemselves(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	a, b := counter(t), counter(t)
	one, both := Session{Stores: []*Store{a}}, Session{Stores: []*Store{a, b, a}}
	require.NoError(t, one.Train(ctx, 1, func(s *torch.Scope) error {
		assert.ErrorIs(t, one.Train(s.Context(), 2, nothing), ErrBusy)
		return both.Infer(s.Context(), func(s *torch.Scope) error { return one.Infer(s.Context(), nothing) })
	}))
	require.NoError(t, both.Train(ctx, 1, nothing), "a store that is named twice is one store")
	var waiting <-chan error
	require.NoError(t, one.Infer(ctx, func(s *torch.Scope) error {
		assert.ErrorIs(t, both.Train(s.Context(), 1, nothing), ErrReading)
		waiting = start(func() error { return both.Train(ctx, 1, nothing) })
		stillWaiting(t, waiting)
		// The step that waits must not keep this closure from going on, or both would wait for
		// ever.
		assert.NoError(t, one.Infer(s.Context(), nothing))
		return nil
	}))
	require.NoError(t, <-waiting)
}

func TestOrderOfStoresCannotDeadlock(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	a, b := counter(t), counter(t)
	sessions := []Session{{Stores: []*Store{a, b}}, {Stores: []*Store{b, a}}}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 200 {
				ss := &sessions[i%2]
				if i < 6 {
					assert.NoError(t, ss.Infer(ctx, nothing))
				} else if err := ss.Train(ctx, 1, nothing); err != nil {
					assert.ErrorIs(t, err, ErrBusy)
				}
			}
		})
	}
	all.Wait()
}

func TestModesOfSessions(t *testing.T) {
	ss := Session{Compute: torch.BFloat16}
	require.NoError(t, ss.Infer(t.Context(), func(s *torch.Scope) error {
		assert.Equal(t, torch.Mode{Compute: torch.BFloat16}, s.Mode())
		return nil
	}))
	require.NoError(t, ss.Train(t.Context(), 9, func(s *torch.Scope) error {
		assert.Equal(t, torch.Mode{Grad: true, Dropout: true, Seed: 9, Compute: torch.BFloat16}, s.Mode())
		return nil
	}))
}
