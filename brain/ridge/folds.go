package ridge

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
)

// ChunkFolds draws the held-out rows of each bootstrap: rows are cut into chunks of chunkRows neighbours (the last
// may be shorter and is kept), and every bootstrap shuffles the chunks anew and holds out the given share of
// them, rounded, but at least one and not all. Rows next to each other in time are alike, so single rows held
// out would be known from their neighbours. Rows are ascending. Fewer than two chunks are an error.
func ChunkFolds(rows, chunkRows, boots int, heldOut float64, seed uint64) ([][]int, error) {
	chunks := (rows + chunkRows - 1) / chunkRows
	if chunks < 2 {
		return nil, fault.New(fault.BadData, "ridge", "folds",
			"%d rows make no two chunks of %d rows, so none can be held out", rows, chunkRows).
			WithHint("give more training rows, or a smaller eval.chunk_rows")
	}
	n := max(1, min(chunks-1, int(math.Round(heldOut*float64(chunks)))))
	rng := rand.New(rand.NewPCG(seed, 0))
	folds := make([][]int, boots)
	for f := range folds {
		held := rng.Perm(chunks)[:n]
		slices.Sort(held)
		for _, chunk := range held {
			for row := chunk * chunkRows; row < min(rows, (chunk+1)*chunkRows); row++ {
				folds[f] = append(folds[f], row)
			}
		}
	}
	return folds, nil
}

// KFold cuts rows into n folds of neighbours, each held out once; the first rows%n have one row more. It is the split
// of scikit-learn's and himalaya's KFold without shuffling.
func KFold(rows, n int) ([][]int, error) {
	if n < 2 {
		return nil, fault.New(fault.Usage, "ridge", "folds", "%d, want at least 2", n)
	}
	if rows < n {
		return nil, fault.New(fault.BadData, "ridge", "folds", "%d rows make no %d folds", rows, n).
			WithHint("give more rows or fewer folds")
	}
	folds := make([][]int, n)
	row := 0
	for f := range folds {
		size := rows / n
		if f < rows%n {
			size++
		}
		for range size {
			folds[f] = append(folds[f], row)
			row++
		}
	}
	return folds, nil
}

// checkFolds refuses folds that hold out nothing, everything, a row twice, or a row that does not exist.
func checkFolds(folds [][]int, rows int) error {
	refuse := func(why string, args ...any) error {
		return fault.New(fault.BadData, "ridge", "folds", why, args...)
	}
	if len(folds) == 0 {
		return refuse("none is given")
	}
	for f, held := range folds {
		sorted := slices.Sorted(slices.Values(held))
		switch {
		case len(held) == 0 || len(held) >= rows:
			return refuse("fold %d holds out %d of %d rows", f, len(held), rows)
		case sorted[0] < 0 || sorted[len(sorted)-1] >= rows:
			return refuse("fold %d holds out rows %d to %d of %d", f, sorted[0], sorted[len(sorted)-1], rows)
		case len(slices.Compact(sorted)) < len(held):
			return refuse("fold %d holds out a row twice", f)
		}
	}
	return nil
}

// others lists the rows that are not held out.
func others(held []int, rows int) []int {
	out := make([]bool, rows)
	for _, row := range held {
		out[row] = true
	}
	var train []int
	for row := range rows {
		if !out[row] {
			train = append(train, row)
		}
	}
	return train
}
