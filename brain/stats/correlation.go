package stats

import (
	"fmt"
	"math"
)

// Correlation gives Pearson's r of each column of pred and want, both (rows, voxels).
//
// Where either column is constant, or holds a value that is not finite, r is not defined: it is given as 0
// and constant says so. r is never NaN and lies in [-1, 1].
func Correlation(pred, want []float32, rows, voxels int) (r []float64, constant []bool) {
	p, w := describe(pred, rows, voxels), describe(want, rows, voxels)
	pp, ww, pw := make([]float64, voxels), make([]float64, voxels), make([]float64, voxels)
	for t := range rows {
		for v := range voxels {
			a := float64(pred[t*voxels+v]) - p.mean[v]
			b := float64(want[t*voxels+v]) - w.mean[v]
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

// Mean gives the mean of r over the given columns that are not constant, and how many those are; nil columns
// mean all. Where none is left the mean is 0 and the count says why.
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

// description is what centring needs to know of each column of a matrix whose rows are given one after another. Constancy
// is decided by comparing values, not by a variance: the mean of equal numbers may differ from them in the last bit.
type description struct {
	mean     []float64
	constant []bool // all values equal, or one of them not finite
	first    []float32
	rows     int
}

func newDescription(voxels int) *description {
	d := &description{mean: make([]float64, voxels), constant: make([]bool, voxels), first: make([]float32, voxels)}
	for v := range d.constant {
		d.constant[v] = true
	}
	return d
}

// add adds a row.
func (d *description) add(row []float32) {
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

// end turns sums into means.
func (d *description) end() {
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

// describe looks at each column of x, (rows, voxels).
func describe(x []float32, rows, voxels int) *description {
	mustHold("matrix", x, rows, voxels)
	d := newDescription(voxels)
	for t := range rows {
		d.add(x[t*voxels : (t+1)*voxels])
	}
	d.end()
	return d
}

// clamp takes off the rounding that lets a perfect r exceed 1.
func clamp(r float64) float64 { return max(-1, min(1, r)) }

// mustHold panics unless x has rows × voxels values.
func mustHold(what string, x []float32, rows, voxels int) {
	if rows < 0 || voxels < 0 || len(x) != rows*voxels {
		panic(fmt.Sprintf("stats: %s has %d values, want %d rows × %d voxels", what, len(x), rows, voxels))
	}
}
