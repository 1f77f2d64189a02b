package datacheck

import (
	"context"
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/brain/dataset"
)

// orientation is what the values of a matrix say of its rows and columns.
type orientation int

const (
	unclear    orientation = iota
	upright                // rows are TRs
	transposed             // columns are TRs
)

// doubtful reports whether the columns of a matrix fit the audio and its rows do not, though they are not far off: it
// may be transposed, and then its numbers of rows and columns alone do not tell.
func (m matrixShape) doubtful() bool {
	return m.want() > usualRows && !m.fits(m.Rows) && m.fits(m.Voxels) && apart(m.excess(), 0) <= m.usual()
}

// Ratios of mean and SD that tell what was done along rows or columns.
const (
	centred   = 1e-3 // of each, if it was z-scored or its mean was taken out
	isOff     = .01  // of most, if it was not
	rawRatio  = 3    // of most voxels in scanner units
	rawFactor = 10   // by which it is larger over time than over voxels
)

// orientationOf reads a repeat. In time a voxel is centred by z-scoring or detrending, or it varies little about its
// mean, as scanner units do; over voxels neither is so.
func orientationOf(ctx context.Context, r *dataset.Responses) (orientation, error) {
	sums, squares := make([]float64, r.Columns), make([]float64, r.Columns)
	rows := make([]float64, 0, r.Rows)
	step := max(1, (1<<18)/max(1, r.Columns))
	slab := make([]float32, step*r.Columns)
	for from := 0; from < r.Rows; from += step {
		to := min(from+step, r.Rows)
		if err := r.ReadRows(ctx, 0, from, to, slab[:(to-from)*r.Columns]); err != nil {
			return unclear, err
		}
		for row := range slices.Chunk(slab[:(to-from)*r.Columns], r.Columns) {
			sum, square := 0., 0.
			for c, x := range row {
				x := float64(x)
				sum, square = sum+x, square+x*x
				sums[c], squares[c] = sums[c]+x, squares[c]+x*x
			}
			rows = append(rows, ratio(sum, square, r.Columns))
		}
	}
	columns := make([]float64, r.Columns)
	for c := range columns {
		columns[c] = ratio(sums[c], squares[c], r.Rows)
	}
	inRow, inColumn := median(rows), median(columns)
	along := func(a, b float64) bool { return a < centred && b > isOff || a > rawRatio && a > rawFactor*b }
	switch {
	case along(inRow, inColumn):
		return transposed, nil
	case along(inColumn, inRow):
		return upright, nil
	}
	return unclear, nil // also if values are not finite
}

// ratio is the size of a mean in SDs, NaN of values that do not vary or are not finite.
func ratio(sum, squares float64, n int) float64 {
	mean := sum / float64(n)
	variance := squares/float64(n) - mean*mean
	if !(variance > 1e-9*mean*mean) { // or it is rounding
		return math.NaN()
	}
	return math.Abs(mean) / math.Sqrt(variance)
}

// median is that of the numbers that are none of NaN; NaN if there are none.
func median(list []float64) float64 {
	list = slices.DeleteFunc(list, math.IsNaN)
	if len(list) == 0 {
		return math.NaN()
	}
	slices.Sort(list)
	return list[len(list)/2]
}
