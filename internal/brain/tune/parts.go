package tune

import "github.com/brainwavlm/bwlm/torch/dist"

// Sums over ranks are of several parts, one after the other in memory.

// firsts are the numbers of each part's first element, and of all elements, of parts of some sizes.
func firsts(sizes []int) []int {
	out := make([]int, 1, len(sizes)+1)
	for k, n := range sizes {
		out = append(out, out[k]+n)
	}
	return out
}

// dealt are the numbers of elements of each rank's share of n.
func dealt(n, world int) []int {
	out := make([]int, world)
	for rank := range out {
		out[rank] = n*(rank+1)/world - n*rank/world
	}
	return out
}

// flags are numbers for booleans.
func flags[T dist.Number](yes []bool) []T {
	out := make([]T, len(yes))
	for k, y := range yes {
		if y {
			out[k] = 1
		}
	}
	return out
}

// flagged are booleans for numbers; those that are not 0 are true.
func flagged[T dist.Number](flags []T) []bool {
	out := make([]bool, len(flags))
	for k, flag := range flags {
		out[k] = flag != 0
	}
	return out
}

// parted returns the parts of numbers, nil of those that have not begun.
func parted(sizes []int, begun []bool, flat []float32) [][]float32 {
	out := make([][]float32, len(sizes))
	for k, n := range sizes {
		if begun[k] {
			out[k] = flat[:n]
		}
		flat = flat[n:]
	}
	return out
}

// none are the counts of an exchange of nothing.
func none(world int) [][]int {
	out := make([][]int, world)
	for rank := range out {
		out[rank] = make([]int, world)
	}
	return out
}
