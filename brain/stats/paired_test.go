package stats

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

// All 512 swaps of nine blocks are few enough to try: many random ones come to the same p.
func TestPairedTestAgreesWithAllSwaps(t *testing.T) {
	g := readGolden(t).Swaps
	const n = 20000
	story := Story{Name: "a", Rows: len(g.Want) / g.Voxels, Responses: g.Want, Base: g.Base, Tuned: g.Tuned}
	test := func(oneSided bool) *PairedResult {
		out, err := PairedTest(t.Context(), []Subject{{Voxels: g.Voxels, Stories: []Story{story}}},
			[]Group{{Name: "all"}},
			PairedOptions{Permutations: n, BlockRows: g.Block, Seed: 3, OneSided: oneSided})
		require.NoError(t, err)
		return out
	}
	two, one := test(false), test(true)
	assert.Equal(t, []int{9}, two.Units)
	near := func(want, got []float64) {
		t.Helper()
		for v, p := range want {
			assert.InDelta(t, p, got[v], 4*math.Sqrt(p*(1-p)/n)) // four standard errors of drawing swaps
		}
	}
	assert.InDeltaSlice(t, g.Delta, slices.Concat(two.Voxels[0].Delta, two.Groups.Delta), 1e-9)
	near(g.TwoSided, slices.Concat(two.Voxels[0].P, two.Groups.P))
	near(g.Greater, slices.Concat(one.Voxels[0].P, one.Groups.P))
	near(g.Max, two.Voxels[0].PMax)
}

// The sums of blocks give the r of rows that were really swapped, in raw scanner units too.
func TestSwapsGiveTheCorrelationOfTheSwappedRows(t *testing.T) {
	rng := seeded(2)
	subject := Subject{Voxels: 3, Stories: []Story{study(rng, "a", 47, 3, .5, 1, 2), study(rng, "b", 23, 3, .5, 1, 2)}}
	var want, base, tuned []float32
	for i := range subject.Stories {
		for at := range subject.Stories[i].Responses {
			subject.Stories[i].Responses[at] = 20*subject.Stories[i].Responses[at] + 1e5
			subject.Stories[i].Tuned[at] = 7*subject.Stories[i].Tuned[at] - 30
		}
		s := subject.Stories[i]
		want, base, tuned = append(want, s.Responses...), append(base, s.Base...), append(tuned, s.Tuned...)
	}
	base, tuned = zscored(base, 1, 70, 3), zscored(tuned, 1, 70, 3)
	p := newPlan([]Subject{subject}, 10)
	sums := sumBlocks(subject, p.blocks[0], []int{0, 1, 2})
	for _, swapped := range [][]int{nil, {0}, {1, 4}, {0, 2, 3, 5}} {
		a, b := slices.Clone(base), slices.Clone(tuned)
		for _, k := range swapped {
			block := p.blocks[0][k]
			from, to := 3*(47*block.story+block.from), 3*(47*block.story+block.to)
			copy(a[from:to], tuned[from:to])
			copy(b[from:to], base[from:to])
		}
		r, _ := Correlation(a, want, 70, 3)
		q, _ := Correlation(b, want, 70, 3)
		for v := range 3 {
			pr := newPair(subject, p.blocks[0], sums, v, 3)
			x, y := pr.score(swapped)
			assert.InDelta(t, r[v], x, 1e-6)
			assert.InDelta(t, q[v], y, 1e-6)
		}
	}
}

func TestPairedTestAgreesWithTheBootstrapOnWhatItTests(t *testing.T) {
	rng := seeded(3)
	one := Subject{Voxels: 70, Stories: []Story{study(rng, "a", 240, 70, .3, 2, 1), study(rng, "b", 60, 70, .3, 2, 1)}}
	two := Subject{Voxels: 2, Stories: []Story{study(rng, "a", 240, 2, .3, 1, 1)}}
	for row := range 240 {
		one.Stories[0].Base[row*70+3] = 7
		two.Stories[0].Responses[row*2] = 7
	}
	for row := range 60 {
		one.Stories[1].Base[row*70+3] = 7 // a constant prediction, not a constant voxel
	}
	subjects := []Subject{one, two}
	groups := []Group{{Name: "all"}, {Name: "one", Columns: [][]int{{0, 3, 69}, nil}},
		{Name: "none", Columns: [][]int{nil, {0}}}}
	boot, err := PairedBootstrap(t.Context(), subjects, groups, BootstrapOptions{Resamples: 10, BlockRows: 12})
	require.NoError(t, err)
	test, err := PairedTest(t.Context(), subjects, groups, PairedOptions{BlockRows: 12, Seed: 1})
	require.NoError(t, err)
	for g, want := range boot.Groups {
		assert.InDelta(t, want.Base.Mean, test.Groups.Base[g], 1e-12)
		assert.InDelta(t, want.Delta.Mean, test.Groups.Delta[g], 1e-12)
	}
	assert.Equal(t, []bool{true, true, false}, test.Groups.Scored)
	assert.Equal(t, []float64{1, 1}, []float64{test.Groups.P[2], test.Groups.Q[2]})
	assert.Equal(t, []int{25, 25, 20}, test.Units)
	assert.Less(t, test.Groups.P[0], .05)
	assert.Equal(t, []bool{false, true}, test.Voxels[1].Scored)
	assert.Equal(t, 1., test.Voxels[1].P[0])
	assert.Zero(t, test.Voxels[0].Base[3])
	assert.Less(t, test.Voxels[0].P[3], .05, "a constant prediction loses against one that knows the signal")
}

// What is swapped as one decides what the p is about: with four subjects no p of subjects is below 2/16.
func TestUnitsOfThePairedTest(t *testing.T) {
	rng := seeded(4)
	var subjects []Subject
	for range 4 {
		subjects = append(subjects, Subject{Voxels: 5, Stories: []Story{
			study(rng, "a", 100, 5, .3, 2, 1), study(rng, "b", 100, 5, .3, 2, 1), study(rng, "c", 100, 5, .3, 2, 1)}})
	}
	const n = 4000
	for unit, want := range map[Unit]struct {
		units int
		least float64
	}{Blocks: {30, 1. / (n + 1)}, Stories: {3, 2. / 8}, Subjects: {4, 2. / 16}} {
		out, err := PairedTest(t.Context(), subjects, []Group{{}},
			PairedOptions{BlockRows: 10, Unit: unit, Permutations: n, Seed: 1})
		require.NoError(t, err)
		assert.Equal(t, []int{want.units}, out.Units)
		assert.InDelta(t, want.least, out.Groups.P[0], 4*math.Sqrt(want.least/n)*min(1, want.least*10), "unit %d", unit)
	}
}

func TestPairedTestIsTheSameOnAnyNumberOfProcessors(t *testing.T) {
	subject := Subject{Voxels: 130, Stories: []Story{study(seeded(5), "a", 120, 130, .3, 1, 1.2)}}
	run := func(seed uint64) *PairedResult {
		out, err := PairedTest(t.Context(), []Subject{subject}, []Group{{}},
			PairedOptions{Permutations: 50, Seed: seed})
		require.NoError(t, err)
		return out
	}
	want := run(1)
	assert.NotEqual(t, want.Voxels[0].P, run(2).Voxels[0].P)
	for _, n := range []int{1, 3} {
		withProcessors(t, n)
		assert.Equal(t, want, run(1))
	}
}

func TestPairedTestRefuses(t *testing.T) {
	story := study(seeded(6), "a", 60, 2, .3, 1, 1)
	alone := story
	alone.Tuned = nil
	run := func(ctx context.Context, s Story, opt PairedOptions) error {
		_, err := PairedTest(ctx, []Subject{{Voxels: 2, Stories: []Story{s}}}, []Group{{}}, opt)
		return err
	}
	require.ErrorContains(t, run(t.Context(), alone, PairedOptions{}), "two systems: false")
	require.ErrorContains(t, run(t.Context(), story, PairedOptions{Permutations: -1}), "-1 permutations")
	story.Rows = 61
	err := run(t.Context(), story, PairedOptions{})
	require.ErrorContains(t, err, "paired test: a: subject 0 has 120 responses")
	assert.Equal(t, fault.BadData, fault.KindOf(err))
	story.Rows = 60
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, run(ctx, story, PairedOptions{}), context.Canceled)
}

func TestNotWorse(t *testing.T) {
	score := func(baseSD, tunedSD float64) GroupScore {
		subject := Subject{Voxels: 20, Stories: []Story{study(seeded(7), "a", 600, 20, .5, baseSD, tunedSD)}}
		out, err := PairedBootstrap(t.Context(), []Subject{subject}, []Group{{Name: "auditory"}},
			BootstrapOptions{Seed: 1})
		require.NoError(t, err)
		return out.Groups[0]
	}
	same := score(1, 1)
	for _, c := range []struct {
		margin               float64
		notWorse, equivalent bool
	}{{0, false, false}, {.1, true, true}} {
		n := same.NonInferiority(c.margin)
		assert.Equal(t, []bool{c.notWorse, c.equivalent}, []bool{n.NonInferior, n.Equivalent}, c.margin)
		assert.Equal(t, n.NonInferior, n.P < .05, "the bound and its p say the same")
	}
	n := same.NonInferiority(.05)
	assert.Greater(t, n.Lower, same.Delta.CI95[0], "one side of 95 %% lies inside the two-sided interval")
	assert.True(t, same.NonInferiority(n.Smallest+1e-9).NonInferior)
	assert.False(t, same.NonInferiority(n.Smallest-1e-9).NonInferior)

	worse, better := score(1, 2).NonInferiority(.05), score(2, 1).NonInferiority(.05)
	assert.False(t, worse.NonInferior)
	assert.Greater(t, worse.P, .9)
	assert.Greater(t, worse.Smallest, .1)
	assert.True(t, better.NonInferior)
	assert.False(t, better.Equivalent, "better by more than the margin is not the same")
	assert.Zero(t, better.Smallest)
	assert.Nil(t, GroupScore{}.NonInferiority(.05), "no interval, no statement")
}

func TestWideningAndItsInverse(t *testing.T) {
	for _, k := range []int{20, 50, 1000} {
		for _, p := range []float64{.025, .05, .5, .9} {
			assert.InDelta(t, p, narrowTail(widenTail(p, k), k), 1e-9)
		}
		assert.Less(t, widenTail(.025, k), .025)
	}
}

func BenchmarkPairedTest(b *testing.B) {
	subject := Subject{Voxels: 5000, Stories: []Story{study(seeded(10), "a", 300, 5000, .3, 1, 1)}}
	for b.Loop() {
		_, err := PairedTest(b.Context(), []Subject{subject}, []Group{{}}, PairedOptions{BlockRows: 10})
		require.NoError(b, err)
	}
}
