package tune

import (
	"errors"
	"fmt"
	"math"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch/dist"
)

// together waits until all ranks are at the same place, which a text names.
func (t *Trainer) together(format string, args ...any) error {
	return t.Study.Options.Ranks.Barrier(fmt.Sprintf(format, args...))
}

// errOfAnother marks an error that another rank has told.
var errOfAnother = errors.New("another rank failed")

func ofAnother(err error) bool { return errors.Is(err, errOfAnother) }

// first returns the error that ends all ranks. A rank that was told of it waits for the end of the one that failed, so
// that only that one is taken for the cause.
func (t *Trainer) first(err error) error {
	if ofAnother(err) {
		if lost := t.together("go on after an error"); lost != nil {
			return lost
		}
	}
	return err
}

// alike returns an error unless all ranks have the same weights, of those that all have.
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
