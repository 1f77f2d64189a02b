package design

import "sort"

// edge is how far, in seconds, two times may differ and still be the same instant: multiples of a stride and of a TR
// meet only up to rounding.
const edge = 1e-6

// Average are the weights that give each row the mean of the features whose time lies in the row's own TR: with row
// time t, those at t − rowTime·TR < time ≤ t + (1 − rowTime)·TR. The TR is open at its start and closed at its end since
// a feature's time is the end of its window: the one that ends where the TR begins heard nothing of it, the one that
// ends with the TR heard all of it. A row without features gets 0. Feature times ascend.
func Average(rows, features []float64, tr, rowTime float64) *Weights {
	if !(tr > 0) {
		panic("align: Average needs a TR above 0")
	}
	within := func(row float64) (from, to int) {
		start := row - rowTime*tr
		return after(features, start), after(features, start+tr)
	}
	return weigh(rows, features, within, func(_, _ float64, n int) float64 { return 1 / float64(n) })
}

// after is the index of the first time later than t.
func after(times []float64, t float64) int {
	return sort.Search(len(times), func(i int) bool { return times[i] > t+edge })
}
