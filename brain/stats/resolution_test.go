package stats

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// rounding returns a system that differs from base by the rounding of its arithmetic alone, in the worst way: always
// towards the responses.
func rounding(base, responses []float32, voxels int, part float64) []float32 {
	largest := Largest(base, voxels)
	out := make([]float32, len(base))
	for at, x := range base {
		up := part * float64(largest[at%voxels])
		out[at] = float32(float64(x) + math.Copysign(up, float64(responses[at])))
	}
	return out
}

func TestEqualSystemsDoNotDiffer(t *testing.T) {
	s := study(seeded(11), "a", 200, 5, .3, 1, 1)
	s.Tuned = s.Base
	groups := []Group{{Name: "all"}, {Name: "some", Columns: [][]int{{1, 3}}}}
	test, err := PairedTest(t.Context(), []Subject{{Voxels: 5, Stories: []Story{s}}}, groups, PairedOptions{})
	require.NoError(t, err)
	boot, err := PairedBootstrap(t.Context(), []Subject{{Voxels: 5, Stories: []Story{s}}}, groups, BootstrapOptions{})
	require.NoError(t, err)
	for _, f := range []TestFamily{test.Groups, test.Voxels[0]} {
		for i := range f.P {
			assert.Equal(t, []float64{1, 1, 1}, []float64{f.P[i], f.Q[i], f.PMax[i]})
			assert.Zero(t, f.Delta[i])
			assert.False(t, math.Signbit(f.Delta[i]))
			assert.True(t, f.Unresolved[i])
		}
	}
	for _, g := range boot.Groups {
		assert.Zero(t, g.Delta.Mean)
		assert.Equal(t, &Interval{}, g.Delta.CI95)
	}
}

func TestDifferencesBelowTheResolutionAreNotTested(t *testing.T) {
	const ulp = 1.0 / (1 << 23)
	for _, c := range []struct {
		name             string
		part, resolution float64
		same             bool
	}{
		{"three units in the last place", 3 * ulp, 0, true},
		{"sixteen units in the last place", 16 * ulp, 0, false},
		{"sixteen, where the arithmetic has twenty", 16 * ulp, 20 * ulp, true},
		{"no resolution is finer than four", 3 * ulp, ulp, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := study(seeded(12), "a", 300, 4, .3, 1, 1)
			s.Tuned = rounding(s.Base, s.Responses, 4, c.part)
			test, err := PairedTest(t.Context(), []Subject{{Voxels: 4, Stories: []Story{s}, Resolution: c.resolution}},
				[]Group{{Name: "all"}}, PairedOptions{Seed: 1})
			require.NoError(t, err)
			for _, f := range []TestFamily{test.Groups, test.Voxels[0]} {
				for i, p := range f.P {
					assert.Equal(t, c.same, f.Unresolved[i])
					if c.same {
						assert.Equal(t, []float64{1, 1, 1}, []float64{p, f.Q[i], f.PMax[i]})
					} else {
						assert.Less(t, p, .01, "rounding that always helps is significant")
					}
				}
			}
		})
	}
}

// At a null where nine voxels of ten differ by rounding alone, and that always towards the responses, at most one
// study in twenty finds anything. The other voxels are tested among all.
func TestFalseDiscoveriesWhereMostVoxelsDifferByRounding(t *testing.T) {
	const studies, voxels, rounded = 200, 40, 36
	w := world{rows: 160, voxels: voxels, phi: .3, signal: 1, base: 1, tuned: 1}
	found := 0
	for seed := range uint64(studies) {
		s := w.story(1000 + seed)
		near := rounding(s.Base, s.Responses, voxels, 1e-6)
		for at := range s.Tuned {
			if at%voxels < rounded {
				s.Tuned[at] = near[at]
			}
		}
		test, err := PairedTest(t.Context(), []Subject{{Voxels: voxels, Stories: []Story{s}, Resolution: 2e-6}},
			[]Group{{Name: "all"}}, PairedOptions{Seed: seed, Permutations: 400})
		require.NoError(t, err)
		f := test.Voxels[0]
		least, any := 1., false
		for v := range voxels {
			require.Equal(t, v < rounded, f.Unresolved[v])
			any = any || f.Q[v] <= .05
			if v >= rounded {
				least = min(least, f.P[v])
			}
		}
		if any {
			found++
		}
		for v := rounded; v < voxels; v++ {
			if f.P[v] == least {
				require.LessOrEqual(t, f.Q[v], min(1, voxels*least)+1e-12)
				require.GreaterOrEqual(t, f.Q[v], min(1, voxels/4*least)-1e-12, "q counts the rounded voxels")
			}
		}
	}
	assert.LessOrEqual(t, float64(found)/studies, .05)
}

func TestResolutionIsTheLargestRelativeDifference(t *testing.T) {
	a := []float32{1, 10, 0, 2, 20, 5}
	b := []float32{1, 10, 9, 2.5, 21, 5}
	largest := Largest(a, 3)
	assert.Equal(t, []float32{2, 20, 5}, largest)
	largest[2] = 0 // a voxel whose predictions are all 0
	assert.InDelta(t, .25, Resolution(a, b, largest), 1e-12)
	assert.Equal(t, minResolution, Resolution(a, a, largest))
}
