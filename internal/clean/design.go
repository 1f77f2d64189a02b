package clean

import (
	"fmt"
	"math"
)

// Design is the space that is taken out of each column of a run.
type Design struct {
	rows  int
	keep  []bool      // rows that are not left out; nil: all
	basis [][]float64 // orthonormal columns over the kept rows
	kept  []int       // of each row its place among the kept ones, -1: it is left out
}

// dependent is how small the rest of a regressor may be, against its length, before it counts as dependent on others.
const dependent = 1e-10

// rounding is how small a regressor may be without its mean, against its length, before it counts as constant.
const rounding = 1e-12

// New makes the design of a run. Regressors are columns of one number for each row; a constant one is taken as 0.
// Keep tells which rows are kept, nil means all. Detrend takes mean and linear trend out, too; without it the mean of a
// column stays. What a regressor shares with others counts once.
func New(rows int, regressors [][]float64, keep []bool, detrend bool) (*Design, error) {
	d := &Design{rows: rows, keep: keep, kept: make([]int, rows)}
	if keep != nil && len(keep) != rows {
		return nil, fmt.Errorf("clean: %d rows are marked to be kept or not, the run has %d", len(keep), rows)
	}
	n := 0
	for t := range d.kept {
		d.kept[t] = -1
		if keep == nil || keep[t] {
			d.kept[t] = n
			n++
		}
	}
	if n < 2 {
		return nil, fmt.Errorf("clean: %d of %d rows are kept, want 2 or more", n, rows)
	}
	columns := make([][]float64, len(regressors))
	for i, whole := range regressors {
		if len(whole) != rows {
			return nil, fmt.Errorf("clean: regressor %d has %d rows, the run has %d", i, len(whole), rows)
		}
		columns[i] = make([]float64, 0, n)
		for t, v := range whole {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("clean: regressor %d is %v in row %d", i, v, t)
			}
			if d.kept[t] >= 0 {
				columns[i] = append(columns[i], v)
			}
		}
	}
	constant, trend := make([]float64, n), make([]float64, n)
	for t := range constant {
		constant[t], trend[t] = 1, float64(t)
	}
	normalize(constant)
	takeOut(trend, constant)
	normalize(trend)
	if detrend {
		d.basis = append(d.basis, constant, trend)
	}
	for _, c := range columns {
		whole := math.Sqrt(dot(c, c))
		takeOut(c, constant)
		if detrend {
			takeOut(c, trend)
		}
		if math.Sqrt(dot(c, c)) < rounding*whole {
			clear(c) // it was constant, or a trend
		}
		normalize(c)
	}
	d.pivot(columns)
	left := n - len(d.basis)
	if !detrend {
		left-- // the mean
	}
	if left <= 0 {
		return nil, fmt.Errorf("clean: %d independent regressors leave nothing of %d rows", len(d.basis), n)
	}
	return d, nil
}

// pivot adds the columns to the basis, at each step the one of which most is left.
func (d *Design) pivot(columns [][]float64) {
	for len(columns) > 0 {
		best, most := 0, -1.0
		for i, c := range columns {
			if l := dot(c, c); l > most {
				best, most = i, l
			}
		}
		if math.Sqrt(most) < dependent {
			return
		}
		q := columns[best]
		columns[best] = columns[len(columns)-1]
		columns = columns[:len(columns)-1]
		for range 2 { // once more: what was lost in rounding
			for _, b := range d.basis {
				takeOut(q, b)
			}
			normalize(q)
		}
		d.basis = append(d.basis, q)
		for _, c := range columns {
			takeOut(c, q)
		}
	}
}

// Removed is how many dimensions are taken out: degrees of freedom that the rows lose.
func (d *Design) Removed() int { return len(d.basis) }

// Kept is the number of rows that are kept.
func (d *Design) Kept() int {
	if len(d.basis) > 0 {
		return len(d.basis[0])
	}
	n := 0
	for _, k := range d.kept {
		if k >= 0 {
			n++
		}
	}
	return n
}

// Place is the place of a row among those that are kept; false if it is left out.
func (d *Design) Place(row int) (int, bool) { return d.kept[row], d.kept[row] >= 0 }

func dot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// takeOut takes the direction q, of length 1, out of c.
func takeOut(c, q []float64) {
	w := dot(c, q)
	for i := range c {
		c[i] -= w * q[i]
	}
}

// normalize makes the length of c 1, but for one of 0.
func normalize(c []float64) {
	l := math.Sqrt(dot(c, c))
	if l == 0 {
		return
	}
	for i := range c {
		c[i] /= l
	}
}
