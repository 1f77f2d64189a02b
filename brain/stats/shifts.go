package stats

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// ShiftNullResult is the result of [ShiftNull].
type ShiftNullResult struct {
	Observed float64   // mean r of the columns, unshifted
	Shifted  []float64 // mean r of the columns for each shift, in ascending order of the shifts
	P95      float64   // 95th percentile of Shifted
	P        float64   // (shifts that reach Observed + 1) / (shifts + 1)
}

// ShiftNull scores pred against measured, both (rows, voxels), for every circular shift of the
// responses by at least minShift rows in either direction. A shift keeps the autocorrelation of
// both series and the common noise of voxels and removes only their relation in time. The score is
// the [Mean] of [Correlation] over the given columns (nil: all) that are not constant; a single
// column gives the null of one voxel.
//
// Responses that are shifted by less than their autocorrelation time remain correlated with the
// predictions. Neighbouring shifts are correlated, too, so P has fewer independent draws than
// shifts. It panics unless 1 ≤ minShift ≤ rows/2.
func ShiftNull(pred, measured []float32, rows, voxels int, columns []int, minShift int) ShiftNullResult {
	checkSize("predictions", pred, rows, voxels)
	checkSize("responses", measured, rows, voxels)
	if minShift < 1 || 2*minShift > rows {
		panic(fmt.Sprintf("stats: no circular shift of %d rows is at least %d rows in both directions", rows, minShift))
	}
	if columns == nil {
		columns = make([]int, voxels)
		for v := range columns {
			columns[v] = v
		}
	}
	null := ShiftNullResult{Shifted: make([]float64, rows-2*minShift+1)}
	count := 0
	for _, v := range columns {
		p, ok := unitColumn(pred, rows, voxels, v)
		w, varies := unitColumn(measured, rows, voxels, v)
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

// unitColumn returns column v of x, (rows, voxels), centred and of norm 1, so that a dot product is
// r. ok is false if the column is constant or not finite.
func unitColumn(x []float32, rows, voxels, v int) (y []float64, ok bool) {
	column := make([]float32, rows)
	for t := range column {
		column[t] = x[t*voxels+v]
	}
	d := describeColumns(column, rows, 1)
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
