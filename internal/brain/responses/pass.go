package responses

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/internal/brain/rowsource"
	"github.com/brainwavlm/bwlm/internal/parallel"
)

// leastColumns is the number of columns that are worth another processor.
const leastColumns = 1024

// pass visits the values of responses in bounded memory, as often as it is asked to: from memory where they fit in
// a number of bytes, else a slab or a tile at a time, which are read again. Columns are shared among the processors, so
// that visits of different columns run side by side; each column sees its rows in ascending order.
type pass struct {
	r    *dataset.Responses
	hold int // bytes that are held
	buf  []float32
}

func newPass(r *dataset.Responses, hold int) *pass { return &pass{r: r, hold: hold} }

// tile is a range of columns with all rows, of which as much is in memory as fits.
type tile struct {
	*dataset.Responses
	from, to int       // columns
	held     []float32 // (repeats, rows, columns) if all of it is in memory
	buf      []float32 // else what is read
}

// tiles visits all columns tile by tile. Responses that fit in memory and row-major ones are one tile, of which the
// latter are read by rows; column-major ones are cut into tiles that fit.
func (p *pass) tiles(ctx context.Context, visit func(*tile) error) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	r := p.r
	t := &tile{Responses: r, to: r.Columns}
	all := r.Repeats * r.Rows * r.Columns
	if m, ok := r.Source.(rowsource.Memory); ok {
		t.held = m.Held()
		return visit(t)
	}
	if fits(r, p.hold) {
		t.held = p.buffer(all)
		if err := readWhole(ctx, r, t.held); err != nil {
			return err
		}
		return visit(t)
	}
	s, ok := r.Source.(rowsource.Columns)
	if !ok {
		t.buf = p.buffer(min(all, max(slabOf(p.hold)/4, r.Repeats*r.Columns)))
		return visit(t)
	}
	width := min(max(1, slabOf(p.hold)/4/(r.Repeats*r.Rows)), r.Columns)
	for at := 0; at < r.Columns; at += width {
		t := &tile{Responses: r, from: at, to: min(at+width, r.Columns)}
		t.held = p.buffer(r.Repeats * r.Rows * (t.to - at))
		if err := s.ReadTile(ctx, at, t.to, t.held); err != nil {
			return err
		}
		if err := visit(t); err != nil {
			return err
		}
	}
	return nil
}

// fits reports whether responses are held in memory while they are measured, for which there are some bytes.
func fits(r *dataset.Responses, hold int) bool {
	_, held := r.Source.(rowsource.Memory)
	return held || 4*r.Repeats*r.Rows*r.Columns <= hold
}

// readWhole fills out with all responses, (repeats, rows, columns).
func readWhole(ctx context.Context, r *dataset.Responses, out []float32) error {
	if s, ok := r.Source.(rowsource.Columns); ok {
		return s.ReadTile(ctx, 0, r.Columns, out)
	}
	n := r.Rows * r.Columns
	for k := range r.Repeats {
		if err := r.Source.ReadRows(ctx, k, 0, r.Rows, out[k*n:(k+1)*n]); err != nil {
			return err
		}
	}
	return nil
}

// buffer returns n values that the pass can write to.
func (p *pass) buffer(n int) []float32 {
	if cap(p.buf) < n {
		p.buf = make([]float32, n)
	}
	return p.buf[:n]
}

// each visits rows from ≤ k < to of a repeat: parts of the row, which begin at a column.
func (t *tile) each(ctx context.Context, repeat, from, to int, visit func(k, column int, row []float32)) error {
	return t.slabs(ctx, repeat, repeat+1, from, to, func(at, end int, x [][]float32) {
		width := t.to - t.from
		parallel.Ranges(width, leastColumns, func(a, b int) {
			for k := at; k < end; k++ {
				visit(k, t.from+a, x[0][(k-at)*width+a:(k-at)*width+b])
			}
		})
	})
}

// together visits rows from ≤ k < to of all repeats at once: parts of the row of each repeat.
func (t *tile) together(ctx context.Context, from, to int, visit func(k, column int, rows [][]float32)) error {
	return t.slabs(ctx, 0, t.Repeats, from, to, func(at, end int, x [][]float32) {
		width := t.to - t.from
		parallel.Ranges(width, leastColumns, func(a, b int) {
			rows := make([][]float32, len(x))
			for k := at; k < end; k++ {
				for i := range x {
					rows[i] = x[i][(k-at)*width+a : (k-at)*width+b]
				}
				visit(k, t.from+a, rows)
			}
		})
	})
}

// slabs visits rows from ≤ k < to of some repeats, (end-at, columns) of each, as many at a time as
// fit in memory.
func (t *tile) slabs(ctx context.Context, firstRepeat, lastRepeat, from, to int,
	visit func(at, end int, x [][]float32)) error {
	width, count := t.to-t.from, lastRepeat-firstRepeat
	step := max(1, to-from)
	if t.held == nil {
		step = max(1, len(t.buf)/(count*width))
	}
	x := make([][]float32, count)
	for at := from; at < to; at += step {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		end := min(at+step, to)
		n := (end - at) * width
		for i := range x {
			repeat := firstRepeat + i
			if t.held != nil {
				x[i] = t.held[(repeat*t.Rows+at)*width:][:n]
				continue
			}
			x[i] = t.buf[i*step*width:][:n]
			if err := t.Source.ReadRows(ctx, repeat, at, end, x[i]); err != nil {
				return err
			}
		}
		visit(at, end, x)
	}
	return nil
}
