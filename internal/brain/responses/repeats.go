package responses

import (
	"context"
	"fmt"

	"github.com/brainwavlm/bwlm/brain/dataset"
)

// Only returns the responses with some of the repeats, in the given order.
func Only(r *dataset.Responses, repeats ...int) *dataset.Responses {
	for _, k := range repeats {
		if k < 0 || k >= r.Repeats {
			panic(fmt.Sprintf("responses: repeat %d of %d", k, r.Repeats))
		}
	}
	out := *r
	out.Repeats, out.Source = len(repeats), someRepeats{r.Source, repeats}
	return &out
}

// someRepeats are some repeats of a source.
type someRepeats struct {
	of      dataset.Source
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
