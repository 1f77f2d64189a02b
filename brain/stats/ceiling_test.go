package stats

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCeilingsAgreeWithNumPy(t *testing.T) {
	g := readGolden(t).Ceilings
	s := NormaliseByCeiling(g.Pred, g.Repeats, g.N, g.Rows, g.Voxels)
	c := s.Ceiling
	assert.Equal(t, []bool{true, true, true, false, false}, c.Defined,
		"repeats that oppose each other and constant ones have no ceiling")
	assert.Equal(t, c.Defined, s.Scored)
	assert.Negative(t, c.SP[3], "what was estimated stands there, not 0")
	for _, x := range []struct {
		name      string
		want, got []float64
	}{
		{"TP", g.TP, c.TP}, {"SP", g.SP, c.SP}, {"raw EV", g.Raw, c.RawEV}, {"EV", g.EV, c.EV},
		{"CC_max", g.CCMax, c.CCMax},
		{"r", g.R, s.R}, {"CC_norm", g.CCNorm, s.CCNorm}, {"SPE", g.SPE, s.SPE},
	} {
		require.NotEmpty(t, x.want, x.name)
		assert.InDeltaSlice(t, x.want, x.got[:len(x.want)], 1e-9, x.name)
		for _, rest := range x.got[len(x.want):] {
			assert.Zero(t, rest, "%s of a voxel without it", x.name)
		}
	}
}

// zscored gives each repeat of each voxel mean 0 and SD 1.
func zscored(x []float32, n, rows, voxels int) []float32 {
	out := make([]float32, len(x))
	eachVoxel(x, n, rows, voxels, func(v int, members []int, units [][]float64) {
		for k, i := range members {
			for row, u := range units[k] {
				out[(i*rows+row)*voxels+v] = float32(u * math.Sqrt(float64(rows)))
			}
		}
	})
	return out
}

func TestFormulasOfTheFieldAreOne(t *testing.T) {
	g := readGolden(t).Ceilings
	z := zscored(g.Repeats, g.N, g.Rows, g.Voxels)
	s := NormaliseByCeiling(g.Pred, z, g.N, g.Rows, g.Voxels)
	c := s.Ceiling
	for v := range 4 {
		assert.InDelta(t, 1, c.TP[v], 1e-6)
		assert.InDelta(t, c.EV[v], c.SP[v], 1e-6, "z-scored repeats: signal power is the explainable variance")
	}
	mean := make([]float32, g.Rows*g.Voxels)
	for at := range z {
		mean[at%len(mean)] += z[at] / float32(g.N)
	}
	r, _ := Correlation(g.Pred, mean, g.Rows, g.Voxels)
	for v := range 3 {
		y, p := column(mean, g.Voxels, v), column(g.Pred, g.Voxels, v)
		var cov, power float64
		for i, x := range centre(p) {
			cov += x * y[i] / float64(g.Rows)
			power += x * x / float64(g.Rows)
		}
		assert.InDelta(t, cov/math.Sqrt(c.SP[v]*power), s.CCNorm[v], 1e-5, "CC_norm by covariance")
		assert.InDelta(t, r[v]/c.CCMax[v], s.CCNorm[v], 1e-5, "CC_norm by division")
	}
}

func TestNormaliseFlagsWhatItCannotScore(t *testing.T) {
	g := readGolden(t).Ceilings
	for row := range g.Rows {
		g.Pred[row*g.Voxels] = .1
	}
	g.Pred[1] = nan
	s := NormaliseByCeiling(g.Pred, g.Repeats, g.N, g.Rows, g.Voxels)
	assert.Equal(t, []bool{false, false, true, false, false}, s.Scored)
	assert.True(t, s.Ceiling.Defined[0])
	for _, x := range [][]float64{s.R, s.CCNorm, s.SPE} {
		assert.Equal(t, []float64{0, 0, 0, 0}, append(slices.Clone(x[:2]), x[3:]...))
	}
	assert.Panics(t, func() { NormaliseByCeiling(g.Pred[1:], g.Repeats, g.N, g.Rows, g.Voxels) })
}

func TestSPETakesThePredictionAtItsSize(t *testing.T) {
	signal := process(seeded(1), 4000, .5)
	repeats, once, twice := make([]float32, 8000), make([]float32, 4000), make([]float32, 4000)
	rng := seeded(2)
	for i, x := range signal {
		repeats[i], repeats[4000+i] = float32(x+rng.NormFloat64()), float32(x+rng.NormFloat64())
		once[i], twice[i] = float32(x), float32(2*x)
	}
	a, b := NormaliseByCeiling(once, repeats, 2, 4000, 1), NormaliseByCeiling(twice, repeats, 2, 4000, 1)
	assert.InDelta(t, 1, a.SPE[0], .05)
	assert.InDelta(t, 0, b.SPE[0], .1)
	assert.InDelta(t, 1, a.CCNorm[0], .03)
	assert.InDelta(t, a.CCNorm[0], b.CCNorm[0], 1e-9)
}

func TestLeaveOneOutAgreesWithNumPy(t *testing.T) {
	g := readGolden(t).Ceilings
	s := LeaveOneOutISC(g.Repeats, g.N, g.Rows, g.Voxels)
	assert.Equal(t, []bool{true, true, true, true, true}, s.Defined)
	for v := range 3 {
		mean := 0.
		for i := range g.N {
			assert.InDelta(t, g.LeaveOneOut[i][v], s.Subjects[i][v], 1e-9)
			mean += g.LeaveOneOut[i][v] / float64(g.N)
		}
		assert.InDelta(t, mean, s.R[v], 1e-9)
		assert.InDelta(t, g.Upper[v], s.Upper[v], 1e-9)
	}
	assert.Zero(t, s.Subjects[1][4], "a subject that is constant there takes no part")

	three := slices.Concat(g.Repeats[:g.Rows*g.Voxels], g.Repeats[2*g.Rows*g.Voxels:])
	without := LeaveOneOutISC(three, g.N-1, g.Rows, g.Voxels)
	assert.InDelta(t, without.R[4], s.R[4], 1e-12, "and leaves the others as they are without that subject")

	for at := range three {
		three[at] = 1000*three[at] + 7
	}
	assert.InDeltaSlice(t, without.R, LeaveOneOutISC(three, g.N-1, g.Rows, g.Voxels).R, 1e-4, "units do not count")
	assert.Zero(t, LeaveOneOutISC([]float32{1, 2, 4, 4, 3, 1}, 2, 3, 1).Upper[0],
		"subjects that cancel share nothing, not rounding")
	assert.Equal(t, []bool{false}, LeaveOneOutISC([]float32{1, 2, 4}, 1, 3, 1).Defined)
}

func TestSplitHalfAgreesWithNumPy(t *testing.T) {
	g := readGolden(t).Ceilings
	s := SplitHalfReliability(g.Repeats, g.N, g.Rows, g.Voxels, 3000, 1)
	assert.False(t, s.Defined[4])
	for v, want := range g.Halves { // the mean over all three splits
		assert.InDelta(t, want, s.Halves[v], .005)
		assert.InDelta(t, 2*s.Halves[v]/(1+s.Halves[v]), s.Full[v], 1e-12)
		assert.InDelta(t, math.Sqrt(s.Full[v]), s.CCMax[v], 1e-12)
	}
	two := SplitHalfReliability(g.Repeats[:2*g.Rows*g.Voxels], 2, g.Rows, g.Voxels, 1, 1) // only one split: no chance
	r, _ := Correlation(g.Repeats[:g.Rows*g.Voxels], g.Repeats[g.Rows*g.Voxels:2*g.Rows*g.Voxels], g.Rows, g.Voxels)
	assert.InDeltaSlice(t, r, two.Halves, 1e-9)
	assert.NotContains(t, SplitHalfReliability(g.Repeats[:g.Rows*g.Voxels], 1, g.Rows, g.Voxels, 5, 1).Defined, true)
}

// Both ways to a ceiling, by power and by halves, find the planted one; so does an odd number of
// repeats.
func TestSplitHalfFindsTheCeilingOfRepeats(t *testing.T) {
	for _, n := range []int{4, 5} {
		x, truth := planted(seeded(uint64(n)), n, 3000, []float64{.3, 1}, .5)
		half, power := SplitHalfReliability(x, n, 3000, 2, 50, 1), Ceiling(x, n, 3000, 2)
		for v := range truth {
			assert.InDelta(t, truth[v], half.CCMax[v], .02)
			assert.InDelta(t, power.CCMax[v], half.CCMax[v], .01)
		}
	}
}

// planted makes n repeats of voxels whose signal has the given power beside noise of power 1, both
// of first order; the noise is partly shared between voxels. It gives the true ceilings as well.
func planted(rng *rand.Rand, n, rows int, snr []float64, phi float64) (repeats []float32, ceiling []float64) {
	voxels := len(snr)
	signal := make([][]float64, voxels)
	for v := range signal {
		signal[v] = process(rng, rows, phi)
		ceiling = append(ceiling, 1/math.Sqrt(1+1/(snr[v]*float64(n))))
	}
	repeats = make([]float32, n*rows*voxels)
	for i := range n {
		shared := process(rng, rows, phi)
		for v := range voxels {
			own := process(rng, rows, phi)
			for t := range rows {
				repeats[(i*rows+t)*voxels+v] = float32(
					math.Sqrt(snr[v])*signal[v][t] + math.Sqrt(.3)*shared[t] + math.Sqrt(.7)*own[t])
			}
		}
	}
	return repeats, ceiling
}

func TestSpearmanBrown(t *testing.T) {
	assert.InDelta(t, 2./3, spearmanBrown(.5, 2), 1e-12)
	assert.InDelta(t, .8, spearmanBrown(.5, 4), 1e-12)
	assert.InDelta(t, .5, spearmanBrown(spearmanBrown(.5, 3), 1./3), 1e-12)
	assert.Equal(t, 1., spearmanBrown(1, 2))
}

// wholeCeiling computes the sums of [Ceiling] from matrices in memory, in the same order.
func wholeCeiling(repeats []float32, n, rows, voxels int) (tp, shared []float64) {
	tp, shared = make([]float64, voxels), make([]float64, voxels)
	size := rows * voxels
	average := make([]float64, size)
	for i := range n {
		y := repeats[i*size : (i+1)*size]
		d := describeColumns(y, rows, voxels)
		for at := range y {
			v := at % voxels
			x := float64(y[at]) - d.mean[v]
			tp[v] += x * x / float64(rows*n)
			average[at] += x / float64(n)
		}
	}
	for at, x := range average {
		shared[at%voxels] += x * x / float64(rows)
	}
	return tp, shared
}

func TestCeilingByRowsIsBitIdentical(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 1))
	for _, c := range []struct{ n, rows, voxels int }{{2, 30, 7}, {5, 11, 3}, {3, 700, 600}, {2, 3, slabValues/2 + 1}} {
		x := make([]float32, c.n*c.rows*c.voxels)
		for i := range x {
			x[i] = float32(1000*float64(i%c.voxels%9) + rng.NormFloat64())
		}
		reads := 0
		got, err := CeilingByRows(c.n, c.rows, c.voxels, func(repeat, from, to int, out []float32) error {
			reads++
			require.Len(t, out, (to-from)*c.voxels)
			require.LessOrEqual(t, len(out), max(slabValues, c.voxels))
			copy(out, x[(repeat*c.rows+from)*c.voxels:])
			return nil
		})
		require.NoError(t, err)
		tp, shared := wholeCeiling(x, c.n, c.rows, c.voxels)
		require.True(t, slices.Equal(tp, got.TP))
		for v := range c.voxels {
			sp := (float64(c.n)*shared[v] - tp[v]) / float64(c.n-1)
			if got.SP[v] != sp || got.RawEV[v] != shared[v]/tp[v] || got.Defined[v] != (sp > 0) {
				t.Fatalf("voxel %d: %v, want SP %g", v, got.SP[v], sp)
			}
		}
		whole := Ceiling(x, c.n, c.rows, c.voxels)
		require.True(t, slices.Equal(got.CCMax, whole.CCMax) && slices.Equal(got.EV, whole.EV))
		require.Positive(t, reads)
	}
	bad := errors.New("bad disk")
	for at := range 3 * 2 {
		left := at
		_, err := CeilingByRows(2, 4, 2, func(int, int, int, []float32) error {
			if left--; left < 0 {
				return bad
			}
			return nil
		})
		require.ErrorIs(t, err, bad)
	}
}
