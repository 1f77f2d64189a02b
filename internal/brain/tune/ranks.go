package tune

import (
	"fmt"
	"math"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch/dist"
)

// together waits until all ranks are at the same place, which a text names.
func (t *Trainer) together(format string, args ...any) error {
	return t.Study.Options.Ranks.Barrier(fmt.Sprintf(format, args...))
}

// alike returns an error unless all ranks have the same weights.
func (t *Trainer) alike() error {
	g := t.Study.Options.Ranks
	if g == nil {
		return nil
	}
	const offset, prime = 14695981039346656037, 1099511628211 // of the hash FNV-1a
	sum := uint64(offset)
	for _, p := range t.Adam.Params() {
		for _, x := range p.Float32s() {
			sum = (sum ^ uint64(math.Float32bits(x))) * prime
		}
	}
	sums, err := dist.Gather(g, "hash of the weights", []int64{int64(sum)}, nil)
	for rank := range sums {
		if err == nil && sums[rank][0] != sums[0][0] {
			err = fault.New(fault.Unavailable, "tune", fmt.Sprintf("step %d", t.Progress.Step),
				"rank %d has other weights than rank 0", rank).
				WithHint("give all ranks processors of one kind; the last checkpoint is that of equal weights")
		}
	}
	return err
}
