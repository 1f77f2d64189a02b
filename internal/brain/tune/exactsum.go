package tune

import (
	"math"
	"math/big"

	"github.com/brainwavlm/bwlm/internal/parallel"
	"github.com/brainwavlm/bwlm/torch/dist"
)

// exactSum adds float32 up without an error, so that the order does not matter, nor which rank has what: the total is
// rounded once. An element takes one float64. Where that is too short for a sum, which is rare (addends that are 2^26
// apart), what it lacks is kept beside it, and this is exact (Knuth's two-sum). Magnitudes and signs of zeros are those
// of a sum in any order.
type exactSum struct {
	sizes []int // elements of each part
	sums  []float64
	begun []bool // by part: it has an addend
	rest  []rest
}

// rest is what the sum of an element lacks.
type rest struct {
	at   int64
	lack float64
}

// newExactSum returns the sum of nothing.
func newExactSum(sizes []int) *exactSum {
	x := &exactSum{sizes: sizes, begun: make([]bool, len(sizes))}
	x.sums = make([]float64, firsts(sizes)[len(sizes)])
	x.clear()
	return x
}

// clear makes x the sum of nothing, which is -0 as the sum of negative zeros is.
func (x *exactSum) clear() {
	clear(x.begun)
	x.rest = x.rest[:0]
	for i := range x.sums {
		x.sums[i] = math.Copysign(0, -1)
	}
}

// addTo adds a number to the sum of an element and returns what the sum then lacks.
func addTo(sum *float64, x float64) float64 {
	before := *sum
	after := before + x
	*sum = after
	part := after - before
	if lack := (before - (after - part)) + (x - part); lack != 0 && !math.IsNaN(lack) { // NaN: a sum that is not finite
		return lack
	}
	return 0
}

// leastAddends are so many that a second thread is worth its start.
const leastAddends = 1 << 18

// add adds the numbers of a part.
func (x *exactSum) add(part int, values []float32) {
	x.begun[part] = true
	first := firsts(x.sizes)[part]
	sums, found := x.sums[first:first+len(values)], make(chan []rest, 1)
	found <- x.rest
	parallel.Ranges(len(values), leastAddends, func(from, to int) {
		var mine []rest
		for i, v := range values[from:to] {
			if lack := addTo(&sums[from+i], float64(v)); lack != 0 {
				mine = append(mine, rest{int64(first + from + i), lack})
			}
		}
		found <- append(<-found, mine...)
	})
	x.rest = <-found
}

// piece is the number of elements that ranks exchange at once.
var piece = 1 << 22

// over returns the totals of all parts over the sums of all ranks; nil of a part that no rank has added to. A rank
// sends at most a float64 and a float32 for each element.
func (x *exactSum) over(g *dist.Group) ([][]float32, error) {
	all, err := dist.Gather(g, "parts of the gradient", flags[uint8](x.begun), nil)
	if err != nil {
		return nil, err
	}
	for _, one := range all {
		for part, begun := range flagged(one) {
			x.begun[part] = x.begun[part] || begun
		}
	}
	total := make([]float32, len(x.sums))
	for from := 0; from < len(total); from += piece {
		to := min(from+piece, len(total))
		parts, err := x.pieceOver(g, from, to)
		if err != nil {
			return nil, err
		}
		at := from
		for _, part := range parts {
			at += copy(total[at:to], part)
		}
	}
	return parted(x.sizes, x.begun, total), nil
}

// pieceOver returns the totals of a range of elements, in parts: each rank adds up its share of them.
func (x *exactSum) pieceOver(g *dist.Group, from, to int) ([][]float32, error) {
	world := g.World()
	shares, counts := dealt(to-from, world), make([][]int, world)
	for rank := range counts {
		counts[rank] = shares
	}
	sums, err := dist.Exchange(g, "sums of gradients", x.sums[from:to], counts)
	if err != nil {
		return nil, err
	}
	rests, err := x.restsOver(g, from, shares)
	if err != nil {
		return nil, err
	}
	return dist.Gather(g, "gradients", totals(sums, rests), shares)
}

// restsOver returns, of the elements that this rank adds up, what the sums of all ranks lack, by the number within its
// share. Elements are dealt from a number on, as many to each rank as shares says.
func (x *exactSum) restsOver(g *dist.Group, from int, shares []int) ([]rest, error) {
	var mine []int64 // numbers and bits in turn
	count := make([]int64, len(shares))
	for rank, n := range shares {
		for _, r := range x.rest {
			if at := r.at - int64(from); at >= 0 && at < int64(n) {
				mine = append(mine, at, int64(math.Float64bits(r.lack)))
				count[rank] += 2
			}
		}
		from += n
	}
	all, err := dist.Gather(g, "rests of gradients, numbers", count, nil)
	if err != nil {
		return nil, err
	}
	counts := make([][]int, len(all))
	for rank, count := range all {
		for _, n := range count {
			counts[rank] = append(counts[rank], int(n))
		}
	}
	parts, err := dist.Exchange(g, "rests of gradients", mine, counts)
	if err != nil {
		return nil, err
	}
	var out []rest
	for _, part := range parts {
		for i := 0; i < len(part); i += 2 {
			out = append(out, rest{part[i], math.Float64frombits(uint64(part[i+1]))})
		}
	}
	return out, nil
}

// totals adds the sums of ranks up and rounds them once. It changes the first.
func totals(sums [][]float64, rests []rest) []float32 {
	total := sums[0]
	for _, sum := range sums[1:] {
		for i, v := range sum {
			if lack := addTo(&total[i], v); lack != 0 {
				rests = append(rests, rest{int64(i), lack})
			}
		}
	}
	out := make([]float32, len(total))
	for i, v := range total {
		out[i] = float32(v)
	}
	lacking := map[int64]*big.Float{}
	for _, r := range rests {
		sum, ok := lacking[r.at]
		if !ok {
			sum = exactly(total[r.at])
			lacking[r.at] = sum
		}
		sum.Add(sum, exactly(r.lack))
	}
	for at, sum := range lacking {
		out[at], _ = sum.Float32()
	}
	return out
}

// exactly returns a number with so many bits that sums of any float32 are exact.
func exactly(x float64) *big.Float { return new(big.Float).SetPrec(1200).SetFloat64(x) }
