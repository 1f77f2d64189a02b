package dist

import (
	"strings"
	"unsafe"
)

// Number is the type of what ranks exchange.
type Number interface {
	~float32 | ~float64 | ~int64 | ~uint8
}

func size[T Number]() int { var x T; return int(unsafe.Sizeof(x)) }

// bytesOf returns the memory of x.
func bytesOf[T Number](x []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(x))), len(x)*size[T]())
}

func pointer(x []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(x)) }

// Gather returns what each rank has, by rank. lengths are the numbers of elements of all ranks, which all know; nil:
// all have as many as this one. The result of a nil group is x.
func Gather[T Number](g *Group, what string, x []T, lengths []int) ([][]T, error) {
	if g == nil {
		return [][]T{x}, nil
	}
	most, total := len(x), len(x)*g.env.World
	if lengths != nil {
		most, total = 0, 0
		for _, n := range lengths {
			most, total = max(most, n), total+n
		}
	}
	if err := g.agree("gather "+what, total*size[T](), append([]int{most}, lengths...)...); err != nil {
		return nil, err
	}
	out := make([][]T, g.env.World)
	if most == 0 {
		return out, nil
	}
	all, mine := make([]T, most*g.env.World), x
	if len(x) < most {
		mine = append(append(make([]T, 0, most), x...), make([]T, most-len(x))...)
	}
	in := bytesOf(mine)
	g.sent(len(in) * (g.env.World - 1))
	err := g.run(what, exchange{what: gather, byDevice: g.byDevice(total * size[T]()), in: pointer(in),
		send: []int64{int64(len(in))}}, bytesOf(all))
	for r := range out {
		n := most
		if lengths != nil {
			n = lengths[r]
		}
		out[r] = all[r*most : r*most+n]
	}
	return out, err
}

// Exchange sends a part of x to each rank, one after the other in x, and returns what each rank has sent to this one.
// counts are the numbers of elements by rank that sends and by rank that receives, which all know. The result of a nil
// group is x.
func Exchange[T Number](g *Group, what string, x []T, counts [][]int) ([][]T, error) {
	if g == nil {
		return [][]T{x}, nil
	}
	op := exchange{what: allToAll, in: pointer(bytesOf(x)), send: make([]int64, g.env.World),
		receive: make([]int64, g.env.World)}
	sum, mine, sent := 0, 0, 0
	var parts []int
	for from := range g.env.World {
		for to, n := range counts[from] {
			sum, parts = sum+n*size[T](), append(parts, n)
			if from == g.env.Rank {
				op.send[to] = int64(n * size[T]())
			}
			if from == g.env.Rank && to != from {
				sent += n * size[T]()
			}
		}
		op.receive[from] = int64(counts[from][g.env.Rank] * size[T]())
		mine += counts[from][g.env.Rank]
	}
	out := make([][]T, g.env.World)
	if err := g.agree("exchange "+what, sum, parts...); err != nil || sum == 0 {
		return out, err
	}
	g.sent(sent)
	op.byDevice = g.byDevice(sum)
	all := make([]T, mine)
	err := g.run(what, op, bytesOf(all))
	for from := range out {
		n := counts[from][g.env.Rank]
		out[from], all = all[:n], all[n:]
	}
	return out, err
}

// Sum returns the sums over all ranks of what each has, as many elements on all. They are added in an order that
// depends on the number of ranks. The result of a nil group is x.
func Sum(g *Group, what string, x []float32) ([]float32, error) {
	if g == nil {
		return x, nil
	}
	in := bytesOf(x)
	if err := g.agree("sum "+what, len(in)); err != nil || len(x) == 0 {
		return nil, err
	}
	out := make([]float32, len(x))
	g.sent(2 * len(in) * (g.env.World - 1) / g.env.World) // of the algorithm that c10d takes, a ring
	err := g.run(what, exchange{what: sum, byDevice: g.byDevice(len(in)), in: pointer(in),
		send: []int64{int64(len(in))}}, bytesOf(out))
	return out, err
}

// Texts returns a text of each rank, by rank.
func (g *Group) Texts(what, text string) ([]string, error) {
	if g == nil {
		return []string{text}, nil
	}
	sizes, err := Gather(g, what+": lengths", []int64{int64(len(text))}, nil)
	if err != nil {
		return nil, err
	}
	lengths := make([]int, len(sizes))
	for r, n := range sizes {
		lengths[r] = int(n[0])
	}
	all, err := Gather(g, what, []byte(text), lengths)
	out := make([]string, len(all))
	for r, one := range all {
		out[r] = strings.Clone(string(one))
	}
	return out, err
}

// Barrier waits for all ranks.
func (g *Group) Barrier(what string) error {
	if g == nil {
		return nil
	}
	return g.agree("barrier "+what, 0)
}

func (g *Group) sent(bytes int) {
	g.traffic.Sent += int64(bytes)
	g.traffic.Exchanges++
}
