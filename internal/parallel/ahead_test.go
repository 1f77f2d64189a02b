package parallel

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPiecesAreReadAhead(t *testing.T) {
	for _, n := range []int{0, 1, 2, 7} {
		var used []int
		var ahead atomic.Int32 // pieces that were read and not yet used
		second := make(chan struct{})
		err := Ahead(t.Context(), n, func(i int, buffer *[]int) error {
			if ahead.Add(1); i == 1 {
				close(second)
			}
			*buffer = append((*buffer)[:0], i)
			return nil
		}, func(i int, piece *[]int) error {
			if i == 0 && n > 1 {
				<-second // the next is read while this one is used
			}
			assert.LessOrEqual(t, ahead.Load(), int32(2))
			used = append(used, *piece...)
			ahead.Add(-1)
			return nil
		})
		require.NoError(t, err)
		require.Len(t, used, n)
		for i, k := range used {
			assert.Equal(t, i, k)
		}
	}
}

func TestReadingAheadEnds(t *testing.T) {
	broken := errors.New("broken")
	for _, n := range []int{1, 5} {
		reads := 0
		read := func(i int, _ *int) error {
			if reads++; i == 3 || n == 1 {
				return broken
			}
			return nil
		}
		uses := 0
		require.ErrorIs(t, Ahead(t.Context(), n, read, func(int, *int) error { uses++; return nil }), broken)
		assert.Equal(t, []int{reads - 1, map[int]int{1: 1, 5: 4}[n]}, []int{uses, reads})
	}
	none := func(int, *int) error { return nil }
	require.ErrorIs(t, Ahead(t.Context(), 9, none, func(i int, _ *int) error {
		if i == 2 {
			return broken
		}
		return nil
	}), broken)
	assert.Panics(t, func() { _ = Ahead(t.Context(), 9, none, func(int, *int) error { panic(broken) }) })
	ctx, cancel := context.WithCancelCause(t.Context())
	require.ErrorIs(t, Ahead(ctx, 9, none, func(i int, _ *int) error {
		if i == 2 {
			cancel(broken)
		}
		return nil
	}), broken)
	require.ErrorIs(t, Ahead(ctx, 1, none, none), broken)
}
