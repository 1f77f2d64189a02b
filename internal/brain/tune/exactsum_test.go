package tune

import (
	"math"
	"math/big"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// addends draws float32 of all magnitudes: small ones beside large ones, opposite ones, zeros of both signs, and
// numbers below the smallest normal one.
func addends(r *rand.Rand, units, n int) [][]float32 {
	out := make([][]float32, units)
	for u := range out {
		out[u] = make([]float32, n)
		for i := range out[u] {
			x := float32(r.NormFloat64() * math.Exp2(float64(r.IntN(60)-30)))
			switch r.IntN(8) {
			case 0:
				x = float32(math.Copysign(0, -1))
			case 1:
				x = math.Float32frombits(r.Uint32() & 0x807fffff)
			case 2:
				if u > 0 {
					x = -out[u-1][i]
				}
			case 3:
				x *= 1e20
			}
			out[u][i] = x
		}
	}
	return out
}

// The total of any order, in any shares, is the exact sum, rounded once.
func TestExactSumsAreExact(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const units, n = 13, 2000
	sizes := []int{700, n - 700}
	values := addends(r, units, n)
	want, lacking := make([]uint32, n), 0
	for i := range want {
		sum, negative := new(big.Float).SetPrec(2000), true
		for u := range values {
			sum.Add(sum, new(big.Float).SetPrec(2000).SetFloat64(float64(values[u][i])))
			negative = negative && values[u][i] == 0 && math.Signbit(float64(values[u][i]))
		}
		x, _ := sum.Float32()
		if negative {
			x = float32(math.Copysign(0, -1))
		}
		want[i] = math.Float32bits(x)
	}
	for trial := range 20 {
		world := 1 + trial%4
		ranks := make([]*exactSum, world)
		for k := range ranks {
			ranks[k] = newExactSum(sizes)
			ranks[k].add(0, values[k][:700])
			ranks[k].clear()
		}
		for _, u := range r.Perm(units) {
			rank := ranks[r.IntN(world)]
			rank.add(1, values[u][700:])
			rank.add(0, values[u][:700])
		}
		var sums [][]float64
		var rests []rest
		for _, rank := range ranks {
			sums, rests = append(sums, rank.sums), append(rests, rank.rest...)
		}
		lacking += len(rests)
		got := totals(sums, rests)
		for i, x := range got {
			require.Equal(t, want[i], math.Float32bits(x), "element %d of trial %d: %v", i, trial, x)
		}
	}
	assert.Greater(t, lacking, 100, "the addends are such that a float64 is too short for some")
}

// One addend keeps its bits, what is not finite stays so, and a part without an addend has no sum.
func TestExactSumsOfOneProcess(t *testing.T) {
	x := newExactSum([]int{2, 1, 3})
	x.add(0, []float32{float32(math.Copysign(0, -1)), 1e-45})
	inf := float32(math.Inf(1))
	x.add(2, []float32{inf, -inf, float32(math.NaN())})
	x.add(2, []float32{1, inf, 2})
	was := piece
	t.Cleanup(func() { piece = was })
	piece = 4 // so that parts begin within a piece
	got, err := x.over(nil)
	require.NoError(t, err)
	assert.Equal(t, []uint32{1 << 31, 1}, []uint32{math.Float32bits(got[0][0]), math.Float32bits(got[0][1])})
	assert.Nil(t, got[1])
	assert.Equal(t, inf, got[2][0])
	assert.True(t, math.IsNaN(float64(got[2][1])) && math.IsNaN(float64(got[2][2])))
}

// A rank holds twice the size of the gradient, of however many units.
func TestMemoryOfExactSums(t *testing.T) {
	const n = 1 << 18
	r := rand.New(rand.NewPCG(3, 4))
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(r.NormFloat64())
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	x := newExactSum([]int{n})
	for range 50 {
		x.add(0, values)
	}
	runtime.ReadMemStats(&after)
	assert.Less(t, float64(after.TotalAlloc-before.TotalAlloc), 2.05*4*n)
	assert.Empty(t, x.rest)
}
