package dataset

import (
	"context"
	"fmt"
)

// Only returns the responses with some of the repeats, in the given order.
func (r *Responses) Only(repeats ...int) *Responses {
	for _, k := range repeats {
		if k < 0 || k >= r.Repeats {
			panic(fmt.Sprintf("dataset: repeat %d of %d", k, r.Repeats))
		}
	}
	out := *r
	out.Repeats, out.source = len(repeats), someRepeats{r.source, repeats}
	return &out
}

// someRepeats are some repeats of a source.
type someRepeats struct {
	of      Source
	repeats []int
}

// Shape returns the number of these repeats, with the rows and columns of the source.
func (s someRepeats) Shape() (repeats, rows, columns int) {
	_, rows, columns = s.of.Shape()
	return len(s.repeats), rows, columns
}

// ReadRows reads one of these repeats.
func (s someRepeats) ReadRows(ctx context.Context, repeat, from, to int, out []float32) error {
	return s.of.ReadRows(ctx, s.repeats[repeat], from, to, out)
}
