package responses

import (
	"context"
	"fmt"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/internal/brain/rowsource"
	"github.com/brainwavlm/bwlm/internal/parallel"
)

// Selection are some rows of a subject's standardised responses, range after range. It holds no
// values.
type Selection struct {
	Rows, Columns int

	subject *SubjectResponses
	ranges  []design.Rows
}

// Select returns ranges of rows of the standardised responses, one after another, in the order that
// is given.
func (s *SubjectResponses) Select(ranges ...design.Rows) *Selection {
	for _, r := range ranges {
		if st := s.mustHave(r.Story); r.From < 0 || r.To < r.From || r.To > st.Responses.Rows {
			panic(fmt.Sprintf("responses: %s has %d rows, not %s", r.Story, st.Responses.Rows, r))
		}
	}
	return &Selection{Rows: count(ranges), Columns: s.Columns, subject: s, ranges: ranges}
}

// Repeats returns the number of repeats of the rows, 0 where stories differ in it.
func (x *Selection) Repeats() int {
	n := 0
	for _, r := range x.ranges {
		repeats := x.subject.Repeats(r.Story)
		if n != 0 && n != repeats {
			return 0
		}
		n = repeats
	}
	return n
}

// ReadRows fills out with rows from ≤ k < to of the selection, (to-from, len(columns)): the mean
// over repeats, standardised. Columns ascend; nil means all.
func (x *Selection) ReadRows(ctx context.Context, from, to int, columns []int, out []float32) error {
	return x.readRows(ctx, allRepeats, from, to, columns, out)
}

// ReadRepeat fills out as ReadRows does, with one repeat on the scale of the mean.
func (x *Selection) ReadRepeat(ctx context.Context, repeat, from, to int, columns []int, out []float32) error {
	return x.readRows(ctx, repeat, from, to, columns, out)
}

func (x *Selection) readRows(ctx context.Context, repeat, from, to int, columns []int, out []float32) error {
	width := x.Columns
	if columns != nil {
		width = len(columns)
	}
	return x.stream(ctx, repeat, from, to, columns, func(k, column int, row []float32) {
		copy(out[(k-from)*width+column:], row)
	})
}

// readColumns fills out with columns from ≤ c < to, one after another, (to-from, Rows). From
// row-major files it reads all columns of the rows, so that a caller asks for as many columns at a
// time as it has room for.
func (x *Selection) readColumns(ctx context.Context, from, to int, out []float32) error {
	return x.stream(ctx, allRepeats, 0, x.Rows, x.subject.all[from:to], func(k, column int, row []float32) {
		for i, v := range row {
			out[(column+i)*x.Rows+k] = v
		}
	})
}

// ReadAll returns all rows of the selection in memory, (Rows, len(columns)). Columns ascend; nil
// means all.
func (x *Selection) ReadAll(ctx context.Context, columns []int) ([]float32, error) {
	width := x.Columns
	if columns != nil {
		width = len(columns)
	}
	out := make([]float32, x.Rows*width)
	return out, x.ReadRows(ctx, 0, x.Rows, columns, out)
}

// allRepeats stands for the mean over repeats.
const allRepeats = -1

// stream visits parts of rows, which begin at a place among the columns. Visits of one row's parts
// run side by side.
func (x *Selection) stream(ctx context.Context, repeat, from, to int, columns []int,
	visit func(k, at int, row []float32)) error {
	if columns == nil {
		columns = x.subject.all
	}
	if from < 0 || to < from || to > x.Rows || !slices.IsSorted(columns) {
		panic(fmt.Sprintf("responses: rows %d to %d of %d, or columns that do not ascend", from, to, x.Rows))
	}
	start := 0
	for _, r := range x.ranges {
		first, last := max(from-start, 0), min(to-start, r.Len())
		if first < last {
			shift := start - r.From
			err := x.subject.stories[r.Story].stream(ctx, repeat, r.From+first, r.From+last, columns,
				func(k, at int, row []float32) { visit(k+shift, at, row) })
			if err != nil {
				return err
			}
		}
		start += r.Len()
	}
	return nil
}

// stream is that of one story.
func (st *story) stream(ctx context.Context, repeat, from, to int, columns []int,
	visit func(k, at int, row []float32)) error {
	firstRepeat, lastRepeat := 0, st.Repeats
	if repeat != allRepeats {
		firstRepeat, lastRepeat = repeat, repeat+1
	}
	return st.readTiles(ctx, lastRepeat-firstRepeat, to-from, columns, func(t *tile, at, end int) error {
		return t.slabs(ctx, firstRepeat, lastRepeat, from, to, func(top, bottom int, x [][]float32) {
			width := t.to - t.from
			parallel.Ranges(end-at, leastColumns, func(a, b int) {
				out, rows := make([]float32, b-a), make([][]float32, len(x))
				for k := top; k < bottom; k++ {
					for i := range x {
						rows[i] = x[i][(k-top)*width:][:width]
					}
					st.standardise(firstRepeat, k, t.from, rows, columns[at+a:at+b], out)
					visit(k, at+a, out)
				}
			})
		})
	})
}

// standardise computes some columns of row k from the rows of repeats, which begin at column from:
// without drift, the mean, z-scored.
func (st *story) standardise(firstRepeat, k, from int, rows [][]float32, columns []int, out []float32) {
	for i, c := range columns {
		v := st.value(firstRepeat, k, c, rows[0][c-from])
		if len(rows) > 1 {
			sum := 0.
			for n, row := range rows {
				sum += float64(st.value(firstRepeat+n, k, c, row[c-from]))
			}
			v = float32(sum / float64(len(rows)))
		}
		if st.zscore != nil {
			v = st.zscore.Value(c, v)
		}
		out[i] = v
	}
}

// value returns a value without drift.
func (st *story) value(repeat, k, c int, x float32) float32 {
	switch {
	case st.drift == nil:
		return x
	case !st.varies[repeat][c]:
		return 0
	}
	return st.drift[repeat].Value(k, c, x)
}

// readBytes bounds what reading rows holds at once, but for one row.
const readBytes = 1 << 20

// readTiles visits the tiles of columns, to read a number of rows and repeats: a tile,
// and which of the columns it has.
func (st *story) readTiles(ctx context.Context, repeats, rows int, columns []int,
	visit func(t *tile, at, end int) error) error {
	t := &tile{Responses: st.Responses, to: st.Columns}
	if m, ok := st.Source.(rowsource.Memory); ok {
		t.held = m.Held()
		return visit(t, 0, len(columns))
	}
	buffer := rowsource.Buffers.Get().(*[]float32)
	defer rowsource.Buffers.Put(buffer)
	if _, ok := st.Source.(rowsource.Columns); !ok {
		n := repeats * st.Columns * min(rows, max(1, readBytes/4/(repeats*st.Columns)))
		*buffer = slices.Grow((*buffer)[:0], n)
		t.buf = (*buffer)[:n]
		return visit(t, 0, len(columns))
	}
	p := pass{r: st.Responses, buf: *buffer}
	defer func() { *buffer = p.buf }()
	width := rowsource.TileColumns(st.Repeats, st.Rows)
	for at := 0; at < len(columns); {
		from := columns[at]
		to := min(from+width, st.Columns)
		end := at
		for end < len(columns) && columns[end] < to {
			end++
		}
		first := at
		if err := p.tiles(ctx, from, to, func(t *tile) error { return visit(t, first, end) }); err != nil {
			return err
		}
		at = end
	}
	return nil
}
