package hdf5

import (
	"fmt"
	"math"

	"github.com/brainwavlm/bwlm/internal/elements"
)

// maxRank is the most axes of an HDF5 array.
const maxRank = 32

// space is the shape of an array.
type space struct {
	shape []int
	most  []uint64 // the most that each axis may grow to; undefined if there is no bound
	null  bool     // there are no elements, and no shape
}

// parseSpace reads a data space message. An array without axes has one element.
func parseSpace(data []byte) (space, error) {
	const what = "a data space"
	f := &fields{b: data}
	version, rank, flags, kind := f.int(1), f.int(1), f.int(1), f.int(1)
	switch version {
	case 1:
		f.take(4)
	case 2:
	default:
		return space{}, unsupported("%s of version %d", what, version)
	}
	if rank > maxRank {
		return space{}, fmt.Errorf("%s has %d axes, at most %d are possible", what, rank, maxRank)
	}
	sp := space{null: version == 2 && kind == 2}
	for range rank {
		n := f.address()
		if n > math.MaxInt64 {
			return space{}, fmt.Errorf("%s has an axis of %d", what, n)
		}
		sp.shape, sp.most = append(sp.shape, int(n)), append(sp.most, n)
	}
	if flags&1 != 0 {
		for i := range sp.most {
			if n := f.address(); n >= sp.most[i] {
				sp.most[i] = n
			} else {
				return space{}, fmt.Errorf("axis %d is %d long, more than its bound of %d", i, sp.most[i], n)
			}
		}
	}
	if err := f.err(what); err != nil {
		return space{}, err
	}
	if _, err := elements.ByteSize(sp.shape, 64); err != nil {
		return space{}, err
	}
	return sp, nil
}
