package responses

import (
	"context"
	"fmt"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
)

// Selection are some rows and columns of a subject's standardised responses, range after range. It holds no values.
type Selection struct {
	Rows, Columns int

	subject *SubjectResponses
	ranges  []design.Rows
	columns []int // ascending
	scored  int   // the split by whose rows each story is z-scored once more; none: it is not
}

// none stands for no split.
const none = -1

// Select returns ranges of rows of the standardised responses, one after another, in the order that
// is given.
func (s *SubjectResponses) Select(ranges ...design.Rows) *Selection {
	for _, r := range ranges {
		if st := s.mustHave(r.Story); r.From < 0 || r.To < r.From || r.To > st.Responses.Rows {
			panic(fmt.Sprintf("responses: %s has %d rows, not %s", r.Story, st.Responses.Rows, r))
		}
	}
	return &Selection{Rows: count(ranges), Columns: s.Columns, subject: s, ranges: ranges, columns: s.all, scored: none}
}

// Scored returns the rows of a split, of which each story is z-scored once more by its rows in the split.
func (s *SubjectResponses) Scored(split int) *Selection {
	x := s.Select(s.splits[split]...)
	x.scored = split
	return x
}

// Of returns some columns of the selection, by their numbers in the responses, ascending.
func (x *Selection) Of(columns []int) *Selection {
	if !slices.IsSorted(columns) {
		panic("responses: columns that do not ascend")
	}
	out := *x
	out.columns, out.Columns = columns, len(columns)
	return &out
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

// ReadRows fills out with rows from ≤ k < to of the selection, (to-from, Columns): the mean over repeats, standardised.
func (x *Selection) ReadRows(ctx context.Context, from, to int, out []float32) error {
	return x.readRows(ctx, allRepeats, from, to, out)
}

// ReadRepeat fills out as ReadRows does, with one repeat on the scale of the mean.
func (x *Selection) ReadRepeat(ctx context.Context, repeat, from, to int, out []float32) error {
	return x.readRows(ctx, repeat, from, to, out)
}

func (x *Selection) readRows(ctx context.Context, repeat, from, to int, out []float32) error {
	return x.stream(ctx, stretch{repeat, from, to, x.columns},
		func(row, n int) []float32 { return out[(row-from)*x.Columns:][:n*x.Columns] },
		func(int, []float32) error { return nil })
}

// ReadAll returns all rows of the selection in memory, (Rows, Columns).
func (x *Selection) ReadAll(ctx context.Context) ([]float32, error) {
	out := make([]float32, x.Rows*x.Columns)
	return out, x.ReadRows(ctx, 0, x.Rows, out)
}

// visitValues is the number of values that a visit of EachRows gets at most, but for one row.
const visitValues = 1 << 22

// EachRows visits columns from ≤ c < to, by their places in the selection, of all rows in their order: y holds those
// from row on, (n, to-from), until visit returns. Files are read once and in their order, the next rows while some are
// visited.
func (x *Selection) EachRows(ctx context.Context, from, to int, visit func(row int, y []float32) error) error {
	var y []float32
	width := to - from
	return x.stream(ctx, stretch{allRepeats, 0, x.Rows, x.columns[from:to]}, func(_, n int) []float32 {
		y = slices.Grow(y[:0], n*width)[:n*width]
		return y
	}, visit)
}

// Read fills out with columns from ≤ c < to, by their places in the selection, one after another, (to-from, Rows).
func (x *Selection) Read(from, to int, out []float32) error {
	width := to - from
	return x.EachRows(context.Background(), from, to, func(row int, y []float32) error {
		for i, v := range y {
			out[i%width*x.Rows+row+i/width] = v
		}
		return nil
	})
}

// allRepeats stands for the mean over repeats.
const allRepeats = -1
