package ridge

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
)

// ChunkFolds draws the held-out rows of each fold, ascending. It cuts the rows into chunks of
// chunkRows contiguous rows, of which the last may be shorter. Each of the boots folds holds out a
// random share heldOut of the chunks, rounded, at least one and not all. Single rows are not held
// out because neighbouring rows are correlated. Fewer than two chunks are an error.
func ChunkFolds(rows, chunkRows, boots int, heldOut float64, seed uint64) ([][]int, error) {
	if chunkRows < 1 || boots < 1 || !(heldOut > 0 && heldOut < 1) {
		return nil, fault.New(fault.Usage, "ridge", "folds",
			"%d folds of chunks of %d rows, of which %g are held out", boots, chunkRows, heldOut)
	}
	chunks := (rows + chunkRows - 1) / chunkRows
	if chunks < 2 {
		return nil, fault.New(fault.BadData, "ridge", "folds",
			"%d rows do not make two chunks of %d rows, so none can be held out", rows, chunkRows).
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

// wholeChunkFolds is [ChunkFolds] as HuthLab's bootstrap_ridge has it: a shorter chunk at the end is
// never held out, and the number of chunks that a fold holds out, rows·heldOut/chunkRows, is rounded
// down.
func wholeChunkFolds(rows, chunkRows, boots int, heldOut float64, seed uint64) ([][]int, error) {
	if chunkRows < 1 {
		return ChunkFolds(rows, chunkRows, boots, heldOut, seed) // its error
	}
	chunks := rows / chunkRows
	if _, err := ChunkFolds(chunks*chunkRows, chunkRows, boots, heldOut, seed); err != nil {
		return nil, err
	}
	n := max(1, min(chunks-1, int(float64(rows)*heldOut/float64(chunkRows))))
	rng := rand.New(rand.NewPCG(seed, 0))
	held := make([][]int, boots)
	for f := range held {
		held[f] = rng.Perm(chunks)[:n]
	}
	return foldsOf(held, rows, chunkRows)
}

// foldsOf returns the held-out rows of folds, ascending, whose held-out chunks are given by their
// numbers from 0. A chunk that is not whole is an error.
func foldsOf(chunks [][]int, rows, chunkRows int) ([][]int, error) {
	folds := make([][]int, len(chunks))
	for f, held := range chunks {
		for _, chunk := range slices.Sorted(slices.Values(held)) {
			if chunk < 0 || (chunk+1)*chunkRows > rows {
				return nil, fault.New(fault.BadData, "ridge", "folds",
					"fold %d holds out chunk %d; %d rows have whole chunks 0 to %d",
					f, chunk, rows, rows/chunkRows-1)
			}
			for row := chunk * chunkRows; row < (chunk+1)*chunkRows; row++ {
				folds[f] = append(folds[f], row)
			}
		}
	}
	return folds, checkFolds(folds, rows)
}

// KFold cuts the rows into n contiguous folds, of which the first rows%n have one row more. It is
// KFold of scikit-learn and himalaya without shuffling.
func KFold(rows, n int) ([][]int, error) {
	if n < 2 {
		return nil, fault.New(fault.Usage, "ridge", "folds", "%d, want at least 2", n)
	}
	if rows < n {
		return nil, fault.New(fault.BadData, "ridge", "folds", "%d rows do not make %d folds", rows, n).
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

// checkFolds returns an error if a fold holds out nothing, everything, a row twice, or a row that
// does not exist.
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

// trainingRows returns the rows that are not held out, ascending.
func trainingRows(held []int, rows int) []int {
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
