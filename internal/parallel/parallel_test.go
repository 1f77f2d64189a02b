package parallel_test

import (
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/brainwavlm/bwlm/internal/parallel"
)

func TestEveryIndexIsVisitedOnce(t *testing.T) {
	before := runtime.GOMAXPROCS(3)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	for _, n := range []int{0, 1, 2, 3, 7, 100} {
		visits := make([]int, n)
		parallel.Each(n, func(i int) { visits[i]++ })
		for i, count := range visits {
			assert.Equal(t, 1, count, "%d of %d", i, n)
		}
	}
}

func TestRangesHaveTheLeastSize(t *testing.T) {
	before := runtime.GOMAXPROCS(4)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
	for n, want := range map[int]int{0: 0, 5: 1, 19: 1, 20: 2, 39: 3, 400: 4} {
		var lock sync.Mutex
		var ranges, sum int
		parallel.Ranges(n, 10, func(from, to int) {
			lock.Lock()
			defer lock.Unlock()
			ranges, sum = ranges+1, sum+to-from
			assert.True(t, to-from >= 10 || n < 10, "%d to %d of %d", from, to, n)
		})
		assert.Equal(t, want, ranges, n)
		assert.Equal(t, n, sum)
	}
}
