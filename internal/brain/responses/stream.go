package responses

import (
	"context"
	"fmt"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/internal/brain/rowsource"
	"github.com/brainwavlm/bwlm/internal/parallel"
)

// Values are read from files in whole rows, as many as make slabBytes. A story of up to holdBytes is read as a whole
// while it is measured, and where its columns are stored together. Tests make both smaller.
var (
	slabBytes = 64 << 20
	holdBytes = 512 << 20
)

// frugalBytes is held where speed matters less than memory.
const frugalBytes = rowsource.SlabBytes

// slabOf returns the bytes of a slab where some bytes may be held: two are in memory.
func slabOf(hold int) int { return min(slabBytes, hold/2) }

// fits reports whether a story is held in memory while it is measured.
func (st *story) fits() bool { return fits(st.Responses, st.hold) }

// stretch is what is read of a selection: a repeat, or the mean over them, of some rows, and the numbers of columns.
type stretch struct {
	repeat, from, to int
	columns          []int
}

// piece is rows of a story that are read at once.
type piece struct {
	st       *story
	from, to int // rows of the story that are wanted
	at       int // the first of them in the selection
	whole    bool

	buffer *[]float32
	x      []float32 // (repeats, rows, all columns) that were read
	top    int       // the first row in x
	rows   int       // of each repeat in x
	first  int       // the first repeat in x
}

// stream computes the rows of a stretch in their order. Room returns where the n rows from row on go, (n, columns),
// and done is called when they are there.
func (x *Selection) stream(ctx context.Context, s stretch, room func(row, n int) []float32,
	done func(row int, y []float32) error) error {
	if s.from < 0 || s.to < s.from || s.to > x.Rows {
		panic(fmt.Sprintf("responses: rows %d to %d of %d", s.from, s.to, x.Rows))
	}
	err := x.subject.measureFirst(ctx, x.ranges)
	if err == nil && x.scored != none {
		err = x.scoreLarge(ctx)
	}
	if err != nil {
		return err
	}
	pieces := x.pieces(s)
	defer func() {
		for _, p := range pieces {
			if p.buffer != nil {
				rowsource.Buffers.Put(p.buffer)
			}
		}
	}()
	return parallel.Ahead(ctx, len(pieces), func(i int, buffer **[]float32) error {
		if *buffer == nil {
			*buffer = rowsource.Buffers.Get().(*[]float32)
			pieces[i].buffer = *buffer
		}
		return x.read(ctx, &pieces[i], s.repeat, *buffer)
	}, func(i int, _ **[]float32) error { return x.use(ctx, &pieces[i], s, room, done) })
}

// pieces divides the rows of a stretch.
func (x *Selection) pieces(s stretch) (out []piece) {
	start := 0
	seen := map[string]bool{}
	for _, r := range x.ranges {
		from, to := r.From+max(s.from-start, 0), r.From+min(s.to-start, r.Len())
		at := start + from - r.From
		start += r.Len()
		if from >= to {
			continue
		}
		st := x.subject.stories[r.Story]
		step := to - from
		whole := !seen[r.Story] && x.whole(st) || st.byColumns()
		if whole {
			seen[r.Story] = true
		} else if _, held := st.Source.(rowsource.Memory); !held {
			repeats := 1
			if s.repeat == allRepeats {
				repeats = st.Repeats
			}
			step = max(1, slabOf(st.hold)/4/(repeats*st.Columns))
		}
		for ; from < to; from += step {
			out = append(out, piece{st: st, from: from, to: min(from+step, to), at: at, whole: whole})
			at += step
		}
	}
	return out
}

// whole reports whether a story has yet to be measured, for which it is read as a whole.
func (x *Selection) whole(st *story) bool {
	return st.fits() && (!st.measured.Load() || x.scored != none && st.again[x.scored].Load() == nil)
}

// byColumns reports whether a story is read as a whole since its columns are stored together.
func (st *story) byColumns() bool {
	_, yes := st.Source.(rowsource.Columns)
	return yes && st.fits()
}

// read reads a piece.
func (x *Selection) read(ctx context.Context, p *piece, repeat int, buffer *[]float32) error {
	st := p.st
	if m, ok := st.Source.(rowsource.Memory); ok {
		p.x, p.rows = m.Held(), st.Responses.Rows
		return nil
	}
	if p.whole {
		p.rows = st.Responses.Rows
		p.x = grow(buffer, st.Repeats*st.Responses.Rows*st.Columns)
		return readWhole(ctx, st.Responses, p.x)
	}
	first, last := 0, st.Repeats
	if repeat != allRepeats {
		first, last = repeat, repeat+1
	}
	p.top, p.rows, p.first = p.from, p.to-p.from, first
	n := p.rows * st.Columns
	p.x = grow(buffer, (last-first)*n)
	for i := range last - first {
		if err := st.Source.ReadRows(ctx, first+i, p.from, p.to, p.x[i*n:(i+1)*n]); err != nil {
			return err
		}
	}
	return nil
}

func grow(buffer *[]float32, n int) []float32 {
	*buffer = slices.Grow((*buffer)[:0], n)[:n]
	return *buffer
}

// use computes the rows of a piece.
func (x *Selection) use(ctx context.Context, p *piece, s stretch, room func(row, n int) []float32,
	done func(row int, y []float32) error) error {
	st := p.st
	if err := x.subject.measureHeld(ctx, st, p.x); err != nil {
		return err
	}
	var again *design.ZScore
	if x.scored != none {
		if again = st.again[x.scored].Load(); again == nil {
			again = st.fitAgain(x.scored, of(x.ranges, st.Story), p.x)
		}
	}
	width := len(s.columns)
	step := max(1, visitValues/max(1, width))
	for from := p.from; from < p.to; from += step {
		n := min(step, p.to-from)
		row := p.at + from - p.from
		out := room(row, n)
		parallel.Ranges(width, leastColumns, func(a, b int) {
			rows := p.repeats(s.repeat)
			for k := from; k < from+n; k++ {
				at := p.row(k, s.repeat, rows)
				st.standardise(at, k, 0, rows, s.columns[a:b], out[(k-from)*width+a:(k-from)*width+b])
				if again != nil {
					scoreAgain(again, s.columns[a:b], out[(k-from)*width+a:(k-from)*width+b])
				}
			}
		})
		if err := done(row, out); err != nil {
			return err
		}
	}
	return nil
}

// repeats returns room for the rows of the repeats of which the mean is taken.
func (p *piece) repeats(repeat int) [][]float32 {
	if repeat != allRepeats {
		return make([][]float32, 1)
	}
	return make([][]float32, p.st.Repeats)
}

// row fills in row k of the repeats, and returns the number of the first.
func (p *piece) row(k, repeat int, rows [][]float32) int {
	first := max(repeat, 0)
	for i := range rows {
		rows[i] = p.x[((first+i-p.first)*p.rows+k-p.top)*p.st.Columns:][:p.st.Columns]
	}
	return first
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
