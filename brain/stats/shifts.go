package stats

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// Null is a score among those of the same predictions against shifted responses.
type Null struct {
	Observed float64   // mean r of the columns, unshifted
	Shifted  []float64 // mean r of the columns for each shift, ascending shifts
	P95      float64   // 95th percentile of Shifted
	P        float64   // (shifts that reach Observed + 1) / (shifts + 1)
}

// ShiftNull scores pred against want, both (rows, voxels), under every circular shift of the responses by at
// least minShift rows either way. Both series keep their autocorrelation, and the voxels their common noise:
// all that a shift takes away is that they belong together. The score is [Mean] of [Correlation] over those
// columns that are not constant, nil for all; a single column gives that voxel's own null.
//
// Shifts nearer than the autocorrelation time still belong together a little; neighbouring shifts are alike,
// so P has fewer independent draws than it has shifts.
func ShiftNull(pred, want []float32, rows, voxels int, columns []int, minShift int) Null {
	mustHold("predictions", pred, rows, voxels)
	mustHold("responses", want, rows, voxels)
	if minShift < 1 || 2*minShift > rows {
		panic(fmt.Sprintf("stats: no circular shift of %d rows is %d rows away both ways", rows, minShift))
	}
	if columns == nil {
		columns = make([]int, voxels)
		for v := range columns {
			columns[v] = v
		}
	}
	null := Null{Shifted: make([]float64, rows-2*minShift+1)}
	count := 0
	for _, v := range columns {
		p, ok := unit(pred, rows, voxels, v)
		w, varies := unit(want, rows, voxels, v)
		if !ok || !varies {
			continue
		}
		count++
		null.Observed += floats.Dot(p, w)
		w = append(w, w...)
		for i := range null.Shifted {
			shift := rows - (minShift + i) // row t meets the response of row t - minShift - i
			null.Shifted[i] += floats.Dot(p, w[shift:shift+rows])
		}
	}
	if count > 0 {
		null.Observed /= float64(count)
		floats.Scale(1/float64(count), null.Shifted)
	}
	reached := 0
	for _, score := range null.Shifted {
		if score >= null.Observed {
			reached++
		}
	}
	null.P = float64(reached+1) / float64(len(null.Shifted)+1)
	null.P95 = quantile(slices.Sorted(slices.Values(null.Shifted)), .95)
	return null
}

// unit gives column v of x, (rows, voxels), centred and of length 1, so that a dot product is an r; not ok if
// the column is constant or not finite.
func unit(x []float32, rows, voxels, v int) (y []float64, ok bool) {
	column := make([]float32, rows)
	for t := range column {
		column[t] = x[t*voxels+v]
	}
	d := describe(column, rows, 1)
	if d.constant[0] {
		return nil, false
	}
	y = make([]float64, rows)
	for t, value := range column {
		y[t] = float64(value) - d.mean[0]
	}
	floats.Scale(1/floats.Norm(y, 2), y)
	return y, true
}
