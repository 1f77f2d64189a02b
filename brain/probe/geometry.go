package probe

import (
	"cmp"
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"

	"github.com/brainwavlm/bwlm/torch"
)

// linearCKA is the linear centred kernel alignment of two representations of the same n items, (n,
// ·) each:
//
//	‖XᵀY‖² / (‖XᵀX‖·‖YᵀY‖)
//
// with columns less their means and Frobenius norms (Kornblith et al., ICML 2019). 1 means the same
// up to rotation and scale. It is 0 where one of the two does not vary.
func linearCKA(ctx context.Context, x, y []float32, n int) (cka float64, err error) {
	err = torch.Do(ctx, torch.Mode{}, func(s *torch.Scope) error {
		a, b := centred(s, x, n), centred(s, y, n)
		norm := func(p, q *torch.Tensor) float64 { return math.Sqrt(p.Transpose(0, 1).MatMul(q).Square().Sum().Item()) }
		if below := norm(a, a) * norm(b, b); below > 0 {
			cka = norm(a, b) * norm(a, b) / below
		}
		return nil
	})
	return cka, err
}

// centred returns x, (n, any), as Float64 with centred columns.
func centred(s *torch.Scope, x []float32, n int) *torch.Tensor {
	t := s.FromFloat32(x, n, len(x)/n).ToType(torch.Float64)
	return t.Sub(t.MeanKeep(0))
}

// discarded is the share of points with the largest ratios that the fit leaves out.
const discarded = .1

// intrinsicDimension estimates on how many dimensions points (n, ·) vary near each of them, by
// TwoNN (Facco et al., Sci. Rep. 7:12140, 2017): with μ the distance to a point's second neighbour
// over that to its first and F the empirical distribution of μ, -log(1-F) = d·log μ; d is the slope
// of the line through the origin, fitted to the least 90 %. Points that are alike are counted once.
// It is NaN for fewer than 20.
func intrinsicDimension(ctx context.Context, x []float32, n int) (d float64, err error) {
	ratios, err := neighbourRatios(ctx, x, n)
	if err != nil || len(ratios) < 20 {
		return math.NaN(), err
	}
	slices.Sort(ratios)
	var above, below float64
	keep := int((1 - discarded) * float64(len(ratios)))
	for i, mu := range ratios[:keep] {
		u, v := math.Log(mu), -math.Log(1-float64(i+1)/float64(len(ratios)))
		above, below = above+u*v, below+u*u
	}
	return above / below, nil
}

// neighbourRatios returns μ for each point; of equal points only for one.
func neighbourRatios(ctx context.Context, x []float32, n int) (ratios []float64, err error) {
	width := len(x) / n
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	row := func(i int) []float32 { return x[i*width : (i+1)*width] }
	slices.SortStableFunc(rows, func(a, b int) int { return slices.Compare(row(a), row(b)) })
	rows = slices.CompactFunc(rows, func(a, b int) bool { return slices.Equal(row(a), row(b)) })
	if x, n = take(x, width, rows), len(rows); n < 3 {
		return nil, nil
	}
	err = torch.Do(ctx, torch.Mode{}, func(s *torch.Scope) error {
		t := centred(s, x, n)
		square := t.Square().SumKeep(1) // (n, 1)
		const block = 512
		for from := 0; from < n; from += block {
			m := min(block, n-from)
			d := t.Scoped(func(t *torch.Tensor) *torch.Tensor {
				near := t.Narrow(0, from, m)
				// (m, n)
				return near.MatMul(t.Transpose(0, 1)).MulScalar(-2).Add(square.Narrow(0, from,
					m)).Add(square.Transpose(0, 1))
			}).Float64s()
			for i := range m {
				first, second := math.Inf(1), math.Inf(1)
				for j, v := range d[i*n : (i+1)*n] {
					switch {
					case j == from+i:
					case v < first:
						first, second = v, first
					case v < second:
						second = v
					}
				}
				if first > 0 {
					ratios = append(ratios, math.Sqrt(second/first))
				}
			}
		}
		return nil
	})
	return ratios, err
}

// pca are the principal components of a representation of n items.
type pca struct {
	variance []float64 // share of each component, falling
	scores   []float32 // (n, components)
}

// newPCA finds the components of x (n, ·), at most n-1.
func newPCA(ctx context.Context, x []float32, n int) (*pca, error) {
	p := &pca{}
	err := torch.Do(ctx, torch.Mode{}, func(s *torch.Scope) error {
		t := centred(s, x, n)
		u, values, _ := t.SVD() // (n, K), (K)
		sd := values.Float64s()
		k := min(len(sd), n-1)
		total := floats.Dot(sd, sd)
		for _, v := range sd[:k] {
			p.variance = append(p.variance, v*v/cmp.Or(total, 1))
		}
		p.scores = u.Narrow(1, 0, k).Mul(values.Narrow(0, 0,
			k).Unsqueeze(0)).ToType(torch.Float32).Contiguous().Float32s()
		return nil
	})
	return p, err
}

// dims returns the number of components that hold a share of the variance.
func (p *pca) dims(share float64) int {
	sum := 0.
	for k, v := range p.variance {
		if sum += v; sum >= share {
			return k + 1
		}
	}
	return len(p.variance)
}

// first returns the items on the first k components, (n, k).
func (p *pca) first(k int) []float32 {
	width := len(p.variance)
	out := make([]float32, 0, len(p.scores)/width*k)
	for i := 0; i < len(p.scores); i += width {
		out = append(out, p.scores[i:i+k]...)
	}
	return out
}
