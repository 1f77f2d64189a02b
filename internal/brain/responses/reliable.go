package responses

import (
	"cmp"
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/brain/dataset"
)

// MostReliable returns the n columns whose repeats agree best, ascending: those with the largest variance over rows of
// the mean of the repeats, relative to the mean variance of the repeats about it. Columns that do not vary and those
// with values that are not finite are left out; of one repeat nothing is known, and there are none. It reads all values
// once, in bounded memory.
func MostReliable(ctx context.Context, r *dataset.Responses, n int) ([]int, error) {
	if r.Repeats < 2 {
		return nil, nil
	}
	a := agreement{origin: make([]float64, r.Columns), sum: make([]float64, r.Columns), squares: make([]float64,
		r.Columns), within: make([]float64, r.Columns)}
	if err := newPass(r, frugalBytes).tiles(ctx, func(t *tile) error {
		return t.together(ctx, 0, r.Rows, a.visit)
	}); err != nil {
		return nil, err
	}
	ratio := make([]float64, r.Columns)
	var columns []int
	for c := range ratio {
		between := a.squares[c] - a.sum[c]*a.sum[c]/float64(r.Rows)
		if ratio[c] = between / a.within[c]; ratio[c] > 0 { // neither NaN nor, by rounding, below 0
			columns = append(columns, c)
		}
	}
	slices.SortStableFunc(columns, func(a, b int) int { return cmp.Compare(ratio[b], ratio[a]) })
	columns = columns[:min(n, len(columns))]
	slices.Sort(columns)
	return columns, nil
}

// agreement sums what the repeats of each column have in common and what not.
type agreement struct {
	origin       []float64 // the mean of the first row
	sum, squares []float64 // of the means of rows, from the first
	within       []float64 // squares of the differences from the mean of a row
}

// visit takes a part of a row of each repeat.
func (a *agreement) visit(k, column int, rows [][]float32) {
	for i := range rows[0] {
		c, mean := column+i, 0.
		for _, row := range rows {
			mean += float64(row[i]) / float64(len(rows))
		}
		if k == 0 {
			a.origin[c] = mean
		}
		d := mean - a.origin[c]
		a.sum[c] += d
		a.squares[c] += d * d
		for _, row := range rows {
			d := float64(row[i]) - mean
			a.within[c] += d * d
		}
	}
}
