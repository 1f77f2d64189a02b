package ridge

import (
	"context"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/parallel"
)

// Responses are the responses of some voxels, such as those of one subject, to the rows of a fit.
type Responses struct {
	Reader ColumnReader
	Voxels int
}

// defaultBytes bounds the responses, or their sums, that are held at once where [Options.Bytes] does not.
const defaultBytes = 2 << 30

// responses are Responses of which a group of columns at a time is in memory.
type responses struct {
	Responses
	rows  int
	first int // number of the first voxel among those of all Responses of a fit

	from, to int       // the columns in memory
	held     []float32 // (to-from, rows)
	constant []bool    // (to-from) all values equal
	bytes    int64     // that were read
}

// hold reads the columns from ≤ v < to into memory, if they are not there. A value that is not finite is an error that
// names it.
func (y *responses) hold(ctx context.Context, from, to int) error {
	if y.held != nil && from == y.from && to == y.to {
		return nil
	}
	y.from, y.to = from, to
	y.held, y.constant = reuse(&y.held, (to-from)*y.rows), make([]bool, to-from)
	y.bytes += 4 * int64(to-from) * int64(y.rows)
	if err := y.read(ctx, from, to, y.held); err != nil {
		y.held = nil
		return err
	}
	bad := make([]int, to-from) // the row of the first value of each voxel that is not finite
	parallel.Each(to-from, func(v int) {
		column := y.columns(from+v, from+v+1)
		bad[v], y.constant[v] = notFinite(column), allEqual(column)
	})
	first := -1
	for v, row := range bad {
		if row < y.rows && (first < 0 || row < bad[first]) {
			first = v
		}
	}
	if first < 0 {
		return nil
	}
	return notFiniteError(bad[first], from+first, y.held[first*y.rows+bad[first]])
}

// read fills out with columns, (to-from, rows).
func (y *responses) read(ctx context.Context, from, to int, out []float32) error {
	rows, ok := y.Reader.(RowReader)
	if !ok {
		return y.Reader.Read(from, to, out)
	}
	return rows.EachRows(ctx, from, to, func(row int, x []float32) error {
		n := to - from
		transpose(x, len(x)/n, n, n, out[row:], y.rows)
		return nil
	})
}

// columns returns columns that are in memory, (to-from, rows).
func (y *responses) columns(from, to int) []float32 {
	return y.held[(from-y.from)*y.rows : (to-y.from)*y.rows]
}

func notFiniteError(row, voxel int, value float32) error {
	return fault.New(fault.BadData, "ridge", "responses", "row %d, voxel %d is %g", row, voxel, value).
		WithHint(repairHint)
}

// Check returns an error if a value of the features x, (rows, features), or of the responses is not
// finite, as [Fit] and [Model.Evaluate] do.
func Check(ctx context.Context, x []float32, y ColumnReader, rows, voxels int) error {
	if _, err := newMatrix(x, rows, false); err != nil {
		return err
	}
	all := &responses{Responses: Responses{y, voxels}, rows: rows}
	for from, to := range groups(0, voxels, 4*rows, 1, defaultBytes) {
		if err := all.hold(ctx, from, to); err != nil {
			return err
		}
	}
	return nil
}

// groups yields groups of columns, each of which is held at once: as many as Options.Bytes allows, with a number of
// bytes for each column, or a block of columns. Groups begin where blocks do.
func (f *fit) groups(y *responses, each, block int) func(yield func(from, to int) bool) {
	unit := f.opt.Unit
	switch {
	case unit == 0:
		return groups(0, y.Voxels, each, block, f.opt.Bytes)
	case unit*each <= f.opt.Bytes:
		return groups(0, y.Voxels, each, unit, f.opt.Bytes)
	}
	return func(yield func(from, to int) bool) {
		for from, to := range blocks(0, y.Voxels, unit) {
			for a, b := range groups(from, to, each, block, f.opt.Bytes) {
				if !yield(a, b) {
					return
				}
			}
		}
	}
}

// blocks yields blocks of at most step voxels that together are from ≤ v < to. A block begins at each multiple of
// Options.Unit, so that the blocks of a share are those of all voxels.
func (f *fit) blocks(from, to, step int) func(yield func(from, to int) bool) {
	if f.opt.Unit == 0 {
		return blocks(from, to, step)
	}
	return func(yield func(from, to int) bool) {
		for from < to {
			end := min(to, (from/f.opt.Unit+1)*f.opt.Unit)
			for a, b := range blocks(from, end, step) {
				if !yield(a, b) {
					return
				}
			}
			from = end
		}
	}
}

// groups yields the fewest groups of columns that together are from ≤ c < to, each of at most the given bytes, of some
// for each column, or of a unit of columns if that is more. Groups but for the last are multiples of the unit.
func groups(from, to, each, unit, bytes int) func(yield func(from, to int) bool) {
	units := (to - from + unit - 1) / unit
	most := max(1, bytes/max(1, each*unit))
	n := (units + most - 1) / most
	step := (units + n - 1) / n * unit
	return blocks(from, to, step)
}

// blocks yields ranges of at most step that together are from ≤ v < to.
func blocks(from, to, step int) func(yield func(from, to int) bool) {
	return func(yield func(from, to int) bool) {
		for ; from < to; from += step {
			if !yield(from, min(from+step, to)) {
				return
			}
		}
	}
}
