package design

import "sort"

// edge is the difference of two times, in seconds, below which they count as the same: multiples of
// a stride and of a TR are equal only up to rounding.
const edge = 1e-6

// Average returns the weights that give each row the mean of the features whose time lies in the TR
// of the row: with row time t, the features at t − rowTime·TR < time ≤ t + (1 − rowTime)·TR. The TR
// is open at its start and closed at its end because the time of a feature is the end of its
// window: a window that ends where the TR begins has no part of it, and one that ends with the TR
// has all of it. A row without features gets 0. Feature times ascend.
func Average(rows, features []float64, tr, rowTime float64) *Weights {
	if !(tr > 0) {
		panic("design: Average needs a TR above 0")
	}
	within := func(row float64) (from, to int) {
		start := row - rowTime*tr
		return after(features, start), after(features, start+tr)
	}
	return weigh(rows, features, within, func(_, _ float64, n int) float64 { return 1 / float64(n) })
}

// after returns the index of the first time later than t.
func after(times []float64, t float64) int {
	return sort.Search(len(times), func(i int) bool { return times[i] > t+edge })
}
