package peft

import (
	"math"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
)

// combine returns one pair with scale 1 for the pairs of a layer.
func (how Combination) combine(s *torch.Scope, xs []factors) (out factors, err error) {
	first := xs[0]
	for _, x := range xs {
		if !slices.Equal(x.shapeA[1:], first.shapeA[1:]) || x.shapeB[0] != first.shapeB[0] {
			return out, fault.New(fault.BadData, combineAdapters, first.path,
				"the adapters are of layers of different sizes")
		}
		if x.rank() != first.rank() && how.Kind != Cat && how.Kind != SVD {
			return out, fault.New(fault.BadData, combineAdapters, first.path,
				"ranks %d and %d, which %s cannot combine", first.rank(), x.rank(), how.Kind).
				WithHint("use cat or svd")
		}
	}
	switch how.Kind {
	case Cat:
		out = cat(xs)
	case SVD:
		out = how.svd(s, xs)
	default:
		out = first
		out.a, out.b = how.mix(xs, func(x factors) ([]float64, float64) {
			return x.a, math.Copysign(math.Sqrt(math.Abs(x.weight)), x.weight)
		}), how.mix(xs, func(x factors) ([]float64, float64) { return x.b, math.Sqrt(math.Abs(x.weight)) })
	}
	out.bias = nil
	for _, x := range xs {
		if x.bias == nil {
			continue
		}
		if out.bias == nil {
			out.bias = make([]float64, len(x.bias))
		}
		for i, v := range x.bias {
			out.bias[i] += x.weight * v
		}
	}
	return out, nil
}

// cat concatenates the pairs: A has the weighted rows of all, B the columns of all.
func cat(xs []factors) factors {
	out := xs[0]
	rank, outs := 0, out.shapeB[0]
	out.a = nil
	for _, x := range xs {
		for _, v := range x.a {
			out.a = append(out.a, x.weight*v)
		}
		rank += x.rank()
	}
	out.b = nil
	for o := range outs {
		for _, x := range xs {
			out.b = append(out.b, x.b[o*x.rank():(o+1)*x.rank()]...)
		}
	}
	return out.ranked(rank)
}

// ranked returns x with the shapes of another rank.
func (x factors) ranked(rank int) factors {
	x.shapeA, x.shapeB = slices.Clone(x.shapeA), slices.Clone(x.shapeB)
	x.shapeA[0], x.shapeB[1] = rank, rank
	return x
}

// svd returns the best pair of a rank for the sum.
func (how Combination) svd(s *torch.Scope, xs []factors) factors {
	all := cat(xs)
	rank := how.Rank
	if rank == 0 {
		for _, x := range xs {
			rank = max(rank, x.rank())
		}
	}
	n := len(all.a) / all.rank()
	rank = min(rank, all.shapeB[0], n)
	delta := s.FromFloat64(all.b, all.shapeB[0], all.rank()).MatMul(s.FromFloat64(all.a, all.rank(), n))
	u, sv, vh := delta.SVD()
	all.a = vh.Narrow(0, 0, rank).Contiguous().Float64s()
	all.b = u.Narrow(1, 0, rank).Mul(sv.Narrow(0, 0, rank)).Float64s()
	return all.ranked(rank)
}

// mix combines one matrix of all pairs elementwise (peft 0.21, utils/merge_utils.py).
func (how Combination) mix(xs []factors, of func(factors) (values []float64, weight float64)) []float64 {
	kept, weights := make([][]float64, len(xs)), make([]float64, len(xs))
	for i, x := range xs {
		kept[i], weights[i] = of(x)
		if how.Kind != Linear {
			kept[i] = prune(kept[i], how.Density)
		}
	}
	out := make([]float64, len(kept[0]))
	for e := range out {
		vote, agree := 0., 0.
		for i := range kept {
			if how.Frequency {
				vote += sign(kept[i][e])
			} else {
				vote += kept[i][e]
			}
		}
		for i := range kept {
			if how.Kind == TIES && (kept[i][e] == 0 || (kept[i][e] > 0) != (vote >= 0)) {
				continue
			}
			agree++
			out[e] += weights[i] * kept[i][e]
		}
		if how.Kind == TIES {
			out[e] /= max(agree, 1)
		}
	}
	return out
}

func sign(v float64) float64 {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}

// prune keeps the largest part of the values and sets the others to zero.
func prune(values []float64, density float64) []float64 {
	if density == 0 {
		density = .5
	}
	n := int(density * float64(len(values)))
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch a, b := math.Abs(values[i]), math.Abs(values[j]); {
		case a > b:
			return -1
		case a < b:
			return 1
		}
		return 0
	})
	out := make([]float64, len(values))
	for _, i := range order[:n] {
		out[i] = values[i]
	}
	return out
}

func widen(x []float32) []float64 {
	if x == nil {
		return nil
	}
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

func narrow(x []float64) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = float32(v)
	}
	return out
}
