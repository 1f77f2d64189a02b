package stats

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

func TestDiscoveryRatesAgreeWithSciPy(t *testing.T) {
	g := readGolden(t).Discovery
	before := append([]float64{}, g.P...)
	assert.InDeltaSlice(t, g.BH, BenjaminiHochberg(g.P), 1e-12)
	assert.InDeltaSlice(t, g.BY, BenjaminiYekutieli(g.P), 1e-12)
	assert.Equal(t, before, g.P, "p are left as they are")
	assert.Empty(t, BenjaminiHochberg(nil))
	assert.Equal(t, []float64{.03}, BenjaminiYekutieli([]float64{.03}))
}

// All orders of seven blocks are few enough to try: many random ones come to the same p.
func TestPermutationTestAgreesWithAllOrders(t *testing.T) {
	g := readGolden(t).Orders
	const n = 20000
	rows := len(g.Pred) / g.Voxels
	test := func(twoSided bool) *PermutationResult {
		out, err := PermutationTest(t.Context(), g.Pred, g.Want, rows, g.Voxels,
			PermutationOptions{Permutations: n, BlockRows: g.Block, Seed: 1, TwoSided: twoSided})
		require.NoError(t, err)
		return out
	}
	one, two := test(false), test(true)
	assert.InDeltaSlice(t, g.R, one.R, 1e-9)
	assert.Equal(t, 7, one.Blocks)
	near := func(want, got []float64) {
		t.Helper()
		for v, p := range want {
			assert.InDelta(t, p, got[v], 4*math.Sqrt(p*(1-p)/n)) // four standard errors of drawing orders
		}
	}
	near(g.Greater, one.P)
	near(g.Max, one.PMax)
	near(g.TwoSided, two.P)
	assert.Equal(t, BenjaminiHochberg(one.P), one.Q)
	assert.Equal(t, BenjaminiYekutieli(one.P), one.QBY)
}

func TestPermutationTestLeavesOutWhatCannotBeScored(t *testing.T) {
	s := study(seeded(1), "a", 120, 4, .5, .5, 1)
	for row := range 120 {
		s.Base[row*4+1], s.Responses[row*4+2] = 3, 7
	}
	out, err := PermutationTest(t.Context(), s.Base, s.Responses, 120, 4, PermutationOptions{Seed: 1})
	require.NoError(t, err)
	assert.Equal(t, []bool{false, true, true, false}, out.Constant)
	for _, v := range []int{1, 2} {
		assert.Equal(t, []float64{0, 1, 1, 1, 1}, []float64{out.R[v], out.P[v], out.PMax[v], out.Q[v], out.QBY[v]})
	}
	for _, v := range []int{0, 3} {
		assert.InDelta(t, 1./1001, out.P[v], 1e-12)
		assert.InDelta(t, 1./1001, out.Q[v], 1e-12, "a family of two, not of four")
	}
	for v := range s.Responses {
		s.Responses[v] = 0
	}
	none, err := PermutationTest(t.Context(), s.Base, s.Responses, 120, 4, PermutationOptions{})
	require.NoError(t, err)
	assert.Equal(t, []float64{1, 1, 1, 1}, none.PMax)
}

func TestPermutationTestIsTheSameOnAnyNumberOfProcessors(t *testing.T) {
	s := study(seeded(2), "a", 100, 130, .5, 3, 1)
	run := func(seed uint64) *PermutationResult {
		out, err := PermutationTest(t.Context(), s.Base, s.Responses, 100, 130,
			PermutationOptions{Permutations: 50, Seed: seed})
		require.NoError(t, err)
		return out
	}
	want := run(1)
	assert.NotEqual(t, want.P, run(2).P)
	for _, n := range []int{1, 3} {
		withProcessors(t, n)
		assert.Equal(t, want, run(1))
	}
}

func TestBlocksOfRows(t *testing.T) {
	assert.Equal(t, []rowRange{{0, 11}, {11, 23}, {23, 35}, {35, 42}, {42, 52}}, cutBlocks([]int{35, 7, 10}, 10))
	x := []float32{1, 2, 3, 1, 2, 3, 1, 2}
	nothing := make([]float32, 400)
	auto, err := PermutationTest(t.Context(), nothing, nothing, 400, 1,
		PermutationOptions{Permutations: 5, Lengths: []int{355, 45}})
	require.NoError(t, err)
	assert.Equal(t, []int{10, 35 + 4}, []int{auto.BlockRows, auto.Blocks})
	_, err = PermutationTest(t.Context(), x, x, 8, 1, PermutationOptions{BlockRows: 2})
	require.ErrorContains(t, err, "8 rows make 4 blocks of at least 2, a test needs 5")
	assert.Equal(t, fault.BadData, fault.KindOf(err))
	_, err = PermutationTest(t.Context(), x, x, 8, 1, PermutationOptions{BlockRows: -1})
	require.ErrorContains(t, err, "blocks of -1 rows")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = PermutationTest(ctx, x, x, 8, 1, PermutationOptions{BlockRows: 1})
	require.ErrorIs(t, err, context.Canceled)
}

func BenchmarkPermutationTest(b *testing.B) {
	s := study(seeded(3), "a", 300, 5000, .5, 1, 1)
	for b.Loop() {
		_, err := PermutationTest(b.Context(), s.Base, s.Responses, 300, 5000, PermutationOptions{BlockRows: 10})
		require.NoError(b, err)
	}
}
