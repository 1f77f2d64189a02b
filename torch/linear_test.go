package torch_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/torch"
)

// TestLinear compares x·wᵀ + b and its gradients with those of the same numbers in Float64, for
// sizes on both sides of the one from which another library multiplies.
func TestLinear(t *testing.T) {
	noLeak(t)
	for _, c := range []struct {
		name          string
		rows, in, out int
		frozen        bool // the weight and bias
		noBias        bool
		strided       bool // x is not contiguous
	}{
		{name: "small", rows: 5, in: 7, out: 3},
		{name: "large", rows: 120, in: 160, out: 128},
		{name: "large, frozen", rows: 120, in: 160, out: 128, frozen: true},
		{name: "large, no bias", rows: 120, in: 160, out: 128, noBias: true},
		{name: "large, strided", rows: 120, in: 160, out: 128, strided: true},
		{name: "tall and thin", rows: 20000, in: 20, out: 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.NoError(t, torch.Train(t.Context(), 1, func(s *torch.Scope) error {
				x, w, b := s.Normal(0, 1, c.rows/5, 5, c.in), s.Normal(0, 1, c.out, c.in), s.Normal(0, 1, c.out)
				weights := s.Normal(0, 1, c.rows/5, 5, c.out)
				run := func(d torch.DType) (y []float64, grads [][]float64) {
					x, w, b := x.ToType(d).Clone().RequireGrad(true), w.ToType(d).Clone().RequireGrad(!c.frozen),
						b.ToType(d).Clone().RequireGrad(!c.frozen)
					leaves := []*torch.Tensor{x, w, b}
					in := x
					if c.strided {
						in = x.Transpose(1, 2).Contiguous().Transpose(1, 2)
					}
					if c.noBias {
						b, leaves = nil, leaves[:2]
					}
					if c.frozen {
						leaves = leaves[:1]
						defer func() { assert.False(t, w.HasGrad()) }()
					}
					out := in.Linear(w, b)
					out.Mul(weights.ToType(d)).Sum().Backward()
					for _, l := range leaves {
						grads = append(grads, l.Grad(s).ToType(torch.Float64).Float64s())
					}
					return out.ToType(torch.Float64).Float64s(), grads
				}
				y, grads := run(torch.Float32)
				wantY, wantGrads := run(torch.Float64)
				assertNear(t, wantY, y)
				require.Len(t, grads, len(wantGrads))
				for i := range grads {
					assertNear(t, wantGrads[i], grads[i])
				}
				return nil
			}))
		})
	}
}

// assertNear allows the rounding of sums in Float32, which grows with the size of the largest of
// them.
func assertNear(t *testing.T, want, got []float64) {
	t.Helper()
	require.Len(t, got, len(want))
	most, off := 0., 0.
	for i := range want {
		most = max(most, math.Abs(want[i]))
		off = max(off, math.Abs(got[i]-want[i]))
	}
	assert.Positive(t, most)
	assert.LessOrEqual(t, off, 2e-6*most)
}
