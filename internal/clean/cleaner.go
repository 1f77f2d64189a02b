package clean

import "fmt"

// Cleaner takes a design out of the columns of a run, row by row.
type Cleaner struct {
	*Design
	columns int
	weights []float64 // of each direction of the basis, one for each column
}

// Cleaner makes a cleaner of a number of columns.
func (d *Design) Cleaner(columns int) *Cleaner {
	return &Cleaner{Design: d, columns: columns, weights: make([]float64, len(d.basis)*columns)}
}

// Learn takes a row of the first pass. Each row must be given once; those that are left out change nothing.
func (c *Cleaner) Learn(row int, values []float32) error {
	t, err := c.check(row, values)
	if err != nil || t < 0 {
		return err
	}
	for k, q := range c.basis {
		part := c.weights[k*c.columns : (k+1)*c.columns]
		w := q[t]
		for i, v := range values {
			part[i] += w * float64(v)
		}
	}
	return nil
}

// Apply writes a row of the second pass into dst, without the design. It is false for a row that is left out. A column
// with a NaN in any row is NaN.
func (c *Cleaner) Apply(row int, values []float32, dst []float64) (bool, error) {
	t, err := c.check(row, values)
	if err != nil || t < 0 {
		return false, err
	}
	if len(dst) != c.columns {
		return false, fmt.Errorf("clean: %d places for %d columns", len(dst), c.columns)
	}
	for i, v := range values {
		dst[i] = float64(v)
	}
	for k, q := range c.basis {
		part := c.weights[k*c.columns : (k+1)*c.columns]
		w := q[t]
		for i := range dst {
			dst[i] -= w * part[i]
		}
	}
	return true, nil
}

func (c *Cleaner) check(row int, values []float32) (int, error) {
	if row < 0 || row >= c.rows || len(values) != c.columns {
		return 0, fmt.Errorf("clean: row %d of %d columns, want one of %d rows of %d columns", row, len(values), c.rows,
			c.columns)
	}
	return c.kept[row], nil
}
