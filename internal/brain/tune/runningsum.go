package tune

import (
	"github.com/brainwavlm/bwlm/torch/dist"
)

// runningSum is a sum of the addends of all ranks in their order. It passes from rank to rank, each of which adds its
// own, and the last sends the total to all: a part to each rank, which passes it on. It goes in as many pieces as
// ranks add to it, so that each adds to a piece while the others have theirs. So a rank sends at most one float64 and
// two float32 for each element, however many ranks and addends there are.
type runningSum struct {
	group *dist.Group
	has   []bool // by rank: it has addends
	sizes []int  // elements of each part

	sums  []float64
	begun [][]bool // by piece and part: sums has an addend
}

// addend is added to a part of a sum. The first one is taken as it is, with the signs of its zeros.
type addend[T float32 | float64] struct {
	part   int
	values []T
}

// over returns the totals of all parts with the addends of this rank; nil of a part that no rank adds to.
func (r *runningSum) over(mine []addend[float64]) ([][]float32, error) {
	total := firsts(r.sizes)[len(r.sizes)]
	var order []int // ranks that add
	place := -1     // of this one
	for rank, has := range r.has {
		if !has {
			continue
		}
		if rank == r.group.Rank() {
			place = len(order)
		}
		order = append(order, rank)
	}
	pieces := len(order)
	if total == 0 || pieces == 0 {
		return make([][]float32, len(r.sizes)), nil
	}
	r.sums, r.begun = make([]float64, total), make([][]bool, pieces)
	for piece := range pieces {
		r.begun[piece] = make([]bool, len(r.sizes))
	}
	for t := range 2*pieces - 1 {
		if piece := t - place; place >= 0 && piece >= 0 && piece < pieces {
			r.add(piece, mine)
		}
		if err := r.pass(t, order, place); err != nil {
			return nil, err
		}
	}
	return r.tell(order[pieces-1])
}

// span is the range of elements of a piece.
func (r *runningSum) span(piece int) (from, to int) {
	return len(r.sums) * piece / len(r.begun), len(r.sums) * (piece + 1) / len(r.begun)
}

// add adds this rank's addends to a piece.
func (r *runningSum) add(piece int, mine []addend[float64]) {
	from, to := r.span(piece)
	first := firsts(r.sizes)
	for _, a := range mine {
		at := first[a.part]
		low, high := max(from, at), min(to, at+r.sizes[a.part])
		if low >= high {
			r.begun[piece][a.part] = true
			continue
		}
		sums, values := r.sums[low:high], a.values[low-at:high-at]
		if !r.begun[piece][a.part] {
			r.begun[piece][a.part] = true
			copy(sums, values)
			continue
		}
		for i, x := range values {
			sums[i] += x
		}
	}
}

// pass sends pieces on at time t: each rank, in its place in the order, the one that it has just added to.
func (r *runningSum) pass(t int, order []int, place int) error {
	counts := none(len(r.has))
	send, receive, any := -1, -1, false
	for i := range len(order) - 1 {
		piece := t - i
		if piece < 0 || piece >= len(r.begun) {
			continue
		}
		from, to := r.span(piece)
		counts[order[i]][order[i+1]] = len(r.sizes) + to - from
		if any = true; i == place {
			send = piece
		} else if i+1 == place {
			receive = piece
		}
	}
	if !any {
		return nil
	}
	var out []float64
	if send >= 0 {
		from, to := r.span(send)
		out = append(flags[float64](r.begun[send]), r.sums[from:to]...)
	}
	got, err := dist.Exchange(r.group, "running sum", out, counts)
	if err != nil || receive < 0 {
		return err
	}
	in := got[order[place-1]]
	r.begun[receive] = flagged(in[:len(r.sizes)])
	from, _ := r.span(receive)
	copy(r.sums[from:], in[len(r.sizes):])
	return nil
}

// tell returns the totals that one rank has.
func (r *runningSum) tell(last int) ([][]float32, error) {
	var flat []float32
	if last == r.group.Rank() {
		flat = flags[float32](r.begun[0]) // all pieces have the same addends
		for _, x := range r.sums {
			flat = append(flat, float32(x))
		}
	}
	n, total := len(r.sizes), len(r.sizes)+len(r.sums)
	r.sums, r.begun = nil, nil
	if r.group != nil {
		world := len(r.has)
		counts, ranges := none(world), dealt(total, world)
		counts[last] = ranges
		got, err := dist.Exchange(r.group, "parts of a sum", flat, counts)
		if err != nil {
			return nil, err
		}
		all, err := dist.Gather(r.group, "sum", got[last], ranges)
		if err != nil {
			return nil, err
		}
		flat = make([]float32, 0, total)
		for _, part := range all {
			flat = append(flat, part...)
		}
	}
	return parted(r.sizes, flagged(flat[:n]), flat[n:]), nil
}

// anyOrder returns the sums of parts over all ranks in the order that c10d likes best: it depends on the number of
// ranks, in the last bits. A rank sends about two float32 for each element.
func anyOrder[T float32 | float64](g *dist.Group, sizes []int, mine []addend[T]) ([][]float32, error) {
	begun, first := make([]bool, len(sizes)), firsts(sizes)
	sums := make([]float32, first[len(sizes)])
	for _, a := range mine {
		begun[a.part] = true
		for i, x := range a.values {
			sums[first[a.part]+i] += float32(x)
		}
	}
	flat := append(flags[float32](begun), sums...)
	flat, err := dist.Sum(g, "sum in any order", flat)
	if err != nil {
		return nil, err
	}
	return parted(sizes, flagged(flat[:len(sizes)]), flat[len(sizes):]), nil
}
