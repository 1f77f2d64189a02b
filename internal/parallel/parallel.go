// Package parallel divides loops among the processors. Results do not depend on the division as long as
// each index writes to places of its own.
package parallel

import (
	"runtime"
	"sync"
)

// Ranges calls do for ranges that together are 0 ≤ i < n, at the same time, and waits for all. A range has
// at least least indices, unless n has fewer; least below 1 means 1.
func Ranges(n, least int, do func(from, to int)) {
	parts := min(n/max(least, 1), runtime.GOMAXPROCS(0))
	if parts <= 1 {
		if n > 0 {
			do(0, n)
		}
		return
	}
	var wait sync.WaitGroup
	for p := range parts {
		wait.Go(func() { do(n*p/parts, n*(p+1)/parts) })
	}
	wait.Wait()
}

// Each calls do for every i, 0 ≤ i < n, on all processors, and waits for all.
func Each(n int, do func(i int)) {
	Ranges(n, 1, func(from, to int) {
		for i := from; i < to; i++ {
			do(i)
		}
	})
}
