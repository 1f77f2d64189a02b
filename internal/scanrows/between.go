package scanrows

// between puts rows that were left out between the rows next to them: on a line from the one before to the one after.
// At the ends it repeats the nearest row.
type between struct {
	visit func(row int, values []float32) error
	last  int // the row of prior
	prior []float32
	now   []float32
}

// add takes a row. Rows ascend.
func (b *between) add(row int, values []float32) error {
	if b.prior == nil {
		b.now = make([]float32, len(values))
		for r := range row {
			if err := b.visit(r, values); err != nil {
				return err
			}
		}
	} else {
		for r := b.last + 1; r < row; r++ {
			part := float32(r-b.last) / float32(row-b.last)
			for i, v := range values {
				b.now[i] = b.prior[i] + part*(v-b.prior[i])
			}
			if err := b.visit(r, b.now); err != nil {
				return err
			}
		}
	}
	b.prior, b.last = append(b.prior[:0], values...), row
	return b.visit(row, values)
}

// finish puts in the rows after the last one, up to a number of rows.
func (b *between) finish(rows int) error {
	for r := b.last + 1; r < rows; r++ {
		if err := b.visit(r, b.prior); err != nil {
			return err
		}
	}
	return nil
}
