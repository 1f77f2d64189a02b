package stats

import (
	"fmt"
	"math"
)

// Correlation returns Pearson's r of each column of pred and measured, both (rows, voxels). If a
// column of either is constant or has a value that is not finite, r is 0 and constant is true. r is
// never NaN and lies in [-1, 1].
func Correlation(pred, measured []float32, rows, voxels int) (r []float64, constant []bool) {
	p, w := describeColumns(pred, rows, voxels), describeColumns(measured, rows, voxels)
	pp, ww, pw := make([]float64, voxels), make([]float64, voxels), make([]float64, voxels)
	for t := range rows {
		for v := range voxels {
			a := float64(pred[t*voxels+v]) - p.mean[v]
			b := float64(measured[t*voxels+v]) - w.mean[v]
			pp[v] += a * a
			ww[v] += b * b
			pw[v] += a * b
		}
	}
	r, constant = make([]float64, voxels), make([]bool, voxels)
	for v := range voxels {
		if constant[v] = p.constant[v] || w.constant[v]; !constant[v] {
			r[v] = clamp(pw[v] / math.Sqrt(pp[v]*ww[v]))
		}
	}
	return r, constant
}

// Mean returns the mean of r over the given columns that are not constant, and their number. Nil
// columns mean all. Without such columns both are 0.
func Mean(r []float64, constant []bool, columns []int) (mean float64, count int) {
	sum := 0.0
	add := func(v int) {
		if !constant[v] && !math.IsNaN(r[v]) {
			sum += r[v]
			count++
		}
	}
	if columns == nil {
		for v := range r {
			add(v)
		}
	}
	for _, v := range columns {
		add(v)
	}
	if count == 0 {
		return 0, 0
	}
	return sum / float64(count), count
}

// columnStats holds the mean of each column of a matrix and whether the column is constant. Rows
// are added one by one. Whether a column is constant is decided by comparing values, not by a
// variance: the mean of equal numbers may differ from them in the last bit.
type columnStats struct {
	mean     []float64
	constant []bool // all values are equal, or one is not finite
	first    []float32
	rows     int
}

func newColumnStats(voxels int) *columnStats {
	d := &columnStats{mean: make([]float64, voxels), constant: make([]bool, voxels), first: make([]float32, voxels)}
	for v := range d.constant {
		d.constant[v] = true
	}
	return d
}

// add adds a row.
func (d *columnStats) add(row []float32) {
	if d.rows == 0 {
		copy(d.first, row)
	}
	d.rows++
	for v, value := range row {
		d.mean[v] += float64(value)
		if value != d.first[v] {
			d.constant[v] = false
		}
	}
}

// end replaces sums by means.
func (d *columnStats) end() {
	for v, sum := range d.mean {
		if math.IsNaN(sum) || math.IsInf(sum, 0) { // a sum of finite float32 cannot overflow
			d.mean[v], d.constant[v] = 0, true
			continue
		}
		if d.rows > 0 {
			d.mean[v] = sum / float64(d.rows)
		}
	}
}

// describeColumns returns the statistics of the columns of x, (rows, voxels).
func describeColumns(x []float32, rows, voxels int) *columnStats {
	checkSize("matrix", x, rows, voxels)
	d := newColumnStats(voxels)
	for t := range rows {
		d.add(x[t*voxels : (t+1)*voxels])
	}
	d.end()
	return d
}

// clamp limits r to [-1, 1], which rounding may exceed.
func clamp(r float64) float64 { return max(-1, min(1, r)) }

// checkSize panics unless x has rows × voxels values.
func checkSize(what string, x []float32, rows, voxels int) {
	if rows < 0 || voxels < 0 || len(x) != rows*voxels {
		panic(fmt.Sprintf("stats: %s has %d values, want %d rows × %d voxels", what, len(x), rows, voxels))
	}
}
