package probe

import (
	"math"
	"math/rand/v2"
	"slices"
)

// item is a moment of a story with one vector: a frame, or a word.
type item struct {
	Story    int     // its number
	From, To float64 // seconds
}

// fold is one division of items. Inner holds the groups of the training items, among which
// penalties are chosen.
type fold struct {
	Train, Test []int
	Inner       []int
}

const (
	nTimeFolds = 4
	nWordFolds = 4
	gap        = 1. // seconds between training and test items of one story
)

// timeFolds cuts items, which ascend by story and time, into n contiguous parts of about equal
// size. Each part is tested once. Training items within the gap of it in the same story are left
// out.
func timeFolds(items []item, n int) (folds []fold) {
	part := func(i int) int { return i * n / len(items) }
	for k := range n {
		var f fold
		spans := map[int][2]float64{} // story → first and last second that is tested
		for i, it := range items {
			if part(i) != k {
				continue
			}
			f.Test = append(f.Test, i)
			s, there := spans[it.Story]
			if !there {
				s = [2]float64{math.Inf(1), math.Inf(-1)}
			}
			spans[it.Story] = [2]float64{min(s[0], it.From), max(s[1], it.To)}
		}
		for i, it := range items {
			if s, there := spans[it.Story]; part(i) == k || there && it.To > s[0]-gap && it.From < s[1]+gap {
				continue
			}
			f.Train, f.Inner = append(f.Train, i), append(f.Inner, part(i))
		}
		if len(f.Train) > 0 && len(f.Test) > 0 {
			folds = append(folds, f)
		}
	}
	return folds
}

// wordFolds crosses contiguous parts of time with random groups of words. The test items of a fold
// are those in one part whose word is in one group; its training items are neither near that part
// nor of that group. The inner groups are groups of words, too, so that penalties are chosen for
// held-out words. word holds the number of the word of each item, from 0.
func wordFolds(items []item, word []int, stretches, groups int, seed uint64) (folds []fold) {
	group := make([]int, slices.Max(word)+1)
	for i, w := range rand.New(rand.NewPCG(seed, 1)).Perm(len(group)) {
		group[w] = i % groups
	}
	for _, t := range timeFolds(items, stretches) {
		for g := range groups {
			var f fold
			for _, i := range t.Test {
				if group[word[i]] == g {
					f.Test = append(f.Test, i)
				}
			}
			for _, i := range t.Train {
				if group[word[i]] != g {
					f.Train, f.Inner = append(f.Train, i), append(f.Inner, group[word[i]])
				}
			}
			if len(f.Train) > 0 && len(f.Test) > 0 {
				folds = append(folds, f)
			}
		}
	}
	return folds
}

// inner returns the indices among the training items of each inner group; nil if there is only one.
func (f *fold) inner() (groups [][]int) {
	numbers := slices.Compact(slices.Sorted(slices.Values(f.Inner)))
	if len(numbers) < 2 {
		return nil
	}
	for _, n := range numbers {
		var g []int
		for at, of := range f.Inner {
			if of == n {
				g = append(g, at)
			}
		}
		groups = append(groups, g)
	}
	return groups
}

// take returns rows of x, (any, width).
func take(x []float32, width int, rows []int) []float32 {
	out := make([]float32, 0, len(rows)*width)
	for _, r := range rows {
		out = append(out, x[r*width:(r+1)*width]...)
	}
	return out
}
