package stats

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

// process makes n steps of a first-order process of unit variance.
func process(rng *rand.Rand, n int, phi float64) []float64 {
	x := make([]float64, n)
	x[0] = rng.NormFloat64()
	for t := 1; t < n; t++ {
		x[t] = phi*x[t-1] + math.Sqrt(1-phi*phi)*rng.NormFloat64()
	}
	return x
}

// study makes one subject's story: each voxel's response is a signal of its own plus noise partly shared
// between voxels; a system sees the signal through its own noise of the given SD. The true r of a system is
// 1/√((1+1)(1+SD²)).
func study(rng *rand.Rand, name string, rows, voxels int, phi, baseSD, tunedSD float64) Story {
	s := Story{Name: name, Rows: rows, Responses: make([]float32, rows*voxels),
		Base: make([]float32, rows*voxels), Tuned: make([]float32, rows*voxels)}
	shared := process(rng, rows, phi)
	for v := range voxels {
		signal, own := process(rng, rows, phi), process(rng, rows, phi)
		p, q := process(rng, rows, phi), process(rng, rows, phi)
		for t := range rows {
			at := t*voxels + v
			s.Responses[at] = float32(signal[t] + math.Sqrt(.5)*shared[t] + math.Sqrt(.5)*own[t])
			s.Base[at] = float32(signal[t] + baseSD*p[t])
			s.Tuned[at] = float32(signal[t] + tunedSD*q[t])
		}
	}
	return s
}

func trueR(sd float64) float64 { return 1 / math.Sqrt(2*(1+sd*sd)) }

func seeded(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

func TestIntervalsCoverTheTruth(t *testing.T) {
	for _, c := range []struct {
		name            string
		baseSD, tunedSD float64
	}{{"no difference", 1.5, 1.5}, {"a difference", 2, 1}} {
		t.Run(c.name, func(t *testing.T) {
			const simulations = 200
			rng := seeded(1)
			wantDelta, wantBase := trueR(c.tunedSD)-trueR(c.baseSD), trueR(c.baseSD)
			missedDelta, missedBase, excludesZero := 0, 0, 0
			for i := range simulations {
				subject := Subject{Voxels: 3, Stories: []Story{study(rng, "story", 300, 3, .5, c.baseSD, c.tunedSD)}}
				out, err := PairedBootstrap(t.Context(), []Subject{subject}, []Group{{Name: "all"}},
					BootstrapOptions{Resamples: 400, Seed: uint64(i), BlockRows: 10})
				require.NoError(t, err)
				g := out.Groups[0]
				require.NotNil(t, g.Delta.CI95, g.Reason)
				if d := *g.Delta.CI95; wantDelta < d[0] || wantDelta > d[1] {
					missedDelta++
				}
				if b := *g.Base.CI95; wantBase < b[0] || wantBase > b[1] {
					missedBase++
				}
				if d := *g.Delta.CI95; d[0] > 0 || d[1] < 0 {
					excludesZero++
				}
			}
			t.Logf("missed: delta %d, base %d; excludes zero %d of %d", missedDelta, missedBase, excludesZero,
				simulations)
			assert.LessOrEqual(t, missedDelta, simulations/10)
			assert.LessOrEqual(t, missedBase, simulations/10)
			assert.Positive(t, missedDelta, "an interval that never misses is too wide to say anything")
			if wantDelta > 0 {
				assert.Greater(t, excludesZero, simulations*9/10, "a real difference of .2 is seen")
			}
		})
	}
}

func TestSumsGiveTheCorrelationOfTheDrawnRows(t *testing.T) {
	rng := seeded(2)
	subject := Subject{Voxels: 5, Stories: []Story{study(rng, "a", 47, 5, .5, 1, 2), study(rng, "b", 23, 5, .5, 1, 2)}}
	for i := range subject.Stories { // raw scanner units: sums of squares dwarf the variance
		for at := range subject.Stories[i].Responses {
			subject.Stories[i].Responses[at] += 1e5
		}
	}
	p := newPlan([]Subject{subject}, 10)
	require.Equal(t, 6, p.total)
	draws := p.draw(20, 3)
	scores, rows, err := scoreDraws(t.Context(), subject, p.blocks[0], draws, 1, memberships([]Group{{}}, 0, 5))
	require.NoError(t, err)
	for d, draw := range draws {
		var want, base, tuned []float32
		for _, b := range p.blocks[0] {
			for range int(draw[b.index]) {
				s := subject.Stories[b.story]
				want = append(want, s.Responses[b.from*5:b.to*5]...)
				base = append(base, s.Base[b.from*5:b.to*5]...)
				tuned = append(tuned, s.Tuned[b.from*5:b.to*5]...)
			}
		}
		require.Equal(t, len(want)/5, int(rows[d]))
		r, _ := Correlation(base, want, len(want)/5, 5)
		q, _ := Correlation(tuned, want, len(want)/5, 5)
		assert.InDelta(t, r[0]+r[1]+r[2]+r[3]+r[4], scores[0].base[d], 1e-9)
		assert.InDelta(t, q[0]+q[1]+q[2]+q[3]+q[4], scores[0].tuned[d], 1e-9)
	}
}

func TestBlocksNeverCrossStories(t *testing.T) {
	story := func(name string, rows int) Story { return Story{Name: name, Rows: rows} }
	p := newPlan([]Subject{
		{Voxels: 1, Stories: []Story{story("a", 35), story("b", 7)}},
		{Voxels: 1, Stories: []Story{story("c", 20), story("a", 25)}},
	}, 10)
	assert.Equal(t, 3+1+2, p.total)
	assert.Equal(t, []block{{0, 0, 0, 11}, {1, 0, 11, 23}, {2, 0, 23, 35}, {3, 1, 0, 7}}, p.blocks[0])
	assert.Equal(t, []block{{4, 0, 0, 10}, {5, 0, 10, 20}, {0, 1, 0, 11}, {1, 1, 11, 23}, {2, 1, 23, 25}}, p.blocks[1],
		"a story that another subject heard for longer has that subject's borders")
	assert.Equal(t, 6, p.count(Group{}))
	assert.Equal(t, 4, p.count(Group{Columns: [][]int{{0}, nil}}))
}

func TestGroupsAndSubjects(t *testing.T) {
	rng := seeded(4)
	one := Subject{Voxels: 4, Stories: []Story{study(rng, "a", 240, 4, .3, 1, 1)}}
	two := Subject{Voxels: 2, Stories: []Story{study(rng, "a", 240, 2, .3, 1, 1)}}
	for row := range 240 {
		one.Stories[0].Responses[row*4+3] = 7 // a constant voxel
	}
	groups := []Group{{Name: "all"}, {Name: "one", Columns: [][]int{{0, 0, 3}, nil}},
		{Name: "none", Columns: [][]int{{3}, {}}}}
	out, err := PairedBootstrap(t.Context(), []Subject{one, two}, groups, BootstrapOptions{Resamples: 100})
	require.NoError(t, err)
	mean := func(s Subject, columns []int) float64 {
		r, constant := Correlation(s.Stories[0].Base, s.Stories[0].Responses, 240, s.Voxels)
		m, _ := Mean(r, constant, columns)
		return m
	}
	all, first, none := out.Groups[0], out.Groups[1], out.Groups[2]
	assert.Equal(t, 5, all.Voxels)
	assert.InDelta(t, (mean(one, nil)+mean(two, nil))/2, all.Base.Mean, 1e-9,
		"subjects weigh the same, whatever their voxels")
	assert.InDelta(t, all.Tuned.Mean-all.Base.Mean, all.Delta.Mean, 1e-12)
	assert.Equal(t, 1, first.Voxels, "columns are a set, a constant one is not scored")
	assert.InDelta(t, mean(one, []int{0}), first.Base.Mean, 1e-9)
	require.NotNil(t, first.Base.CI95)
	assert.Equal(t, 0, none.Voxels)
	assert.Nil(t, none.Delta.CI95)
	assert.Contains(t, none.Reason, "constant")
}

func TestFewBlocksHaveNoInterval(t *testing.T) {
	subject := Subject{Voxels: 2, Stories: []Story{study(seeded(5), "a", 199, 2, .3, 1, 1)}}
	run := func(rows int) GroupScore {
		out, err := PairedBootstrap(t.Context(), []Subject{subject}, []Group{{}},
			BootstrapOptions{BlockRows: rows, Resamples: 50})
		require.NoError(t, err)
		return out.Groups[0]
	}
	few := run(10)
	assert.Nil(t, few.Delta.CI95)
	assert.Equal(t, "19 blocks of at least 10 rows; an interval needs 20", few.Reason)
	assert.NotZero(t, few.Delta.Mean)
	enough := run(9)
	assert.NotNil(t, enough.Delta.CI95)
	assert.Empty(t, enough.Reason)
}

func TestOneSystemAlone(t *testing.T) {
	story := study(seeded(6), "a", 240, 2, .3, 1, 1)
	story.Tuned = nil
	out, err := PairedBootstrap(t.Context(), []Subject{{Voxels: 2, Stories: []Story{story}}}, []Group{{}},
		BootstrapOptions{Resamples: 50})
	require.NoError(t, err)
	assert.Nil(t, out.Groups[0].Tuned)
	assert.Nil(t, out.Groups[0].Delta)
	assert.NotNil(t, out.Groups[0].Base.CI95)
}

func TestBrokenPredictionsNeverMakeNaN(t *testing.T) {
	story := study(seeded(7), "a", 240, 3, .3, 1, 1)
	for row := range 240 {
		story.Base[row*3] = 5
	}
	story.Base[4], story.Responses[2] = float32(math.NaN()), float32(math.Inf(1))
	out, err := PairedBootstrap(t.Context(), []Subject{{Voxels: 3, Stories: []Story{story}}}, []Group{{}},
		BootstrapOptions{Resamples: 50})
	require.NoError(t, err)
	g := out.Groups[0]
	assert.Equal(t, 2, g.Voxels)
	assert.Zero(t, g.Base.Mean)
	assert.Equal(t, Interval{}, *g.Base.CI95)
	assert.Greater(t, g.Delta.CI95[0], .1)
}

func TestSameSeedSameBitsOnAnyNumberOfProcessors(t *testing.T) {
	subject := Subject{Voxels: 100, Stories: []Story{study(seeded(8), "a", 240, 100, .3, 1, 1.1)}}
	run := func(seed uint64) *BootstrapResult {
		out, err := PairedBootstrap(t.Context(), []Subject{subject}, []Group{{}},
			BootstrapOptions{Resamples: 100, Seed: seed})
		require.NoError(t, err)
		return out
	}
	want := run(1)
	assert.NotEqual(t, want.Groups[0].Delta.CI95, run(2).Groups[0].Delta.CI95)
	for _, n := range []int{1, 2, 7} {
		withProcessors(t, n)
		assert.Equal(t, want, run(1))
	}
}

func TestBootstrapRefuses(t *testing.T) {
	good := func() []Subject {
		return []Subject{{Voxels: 2, Stories: []Story{study(seeded(9), "a", 30, 2, .3, 1, 1)}}}
	}
	for _, c := range []struct {
		name   string
		spoil  func(s []Subject) []Subject
		groups []Group
		opt    BootstrapOptions
		why    string
	}{
		{"nobody", func([]Subject) []Subject { return nil }, nil, BootstrapOptions{}, "no subjects"},
		{"no voxels", func(s []Subject) []Subject { s[0].Voxels = 0; return s }, nil, BootstrapOptions{}, "0 voxels"},
		{"short", func(s []Subject) []Subject { s[0].Stories[0].Rows = 31; return s }, nil, BootstrapOptions{},
			"31 rows × 2 voxels"},
		{"twice", func(s []Subject) []Subject {
			s[0].Stories = append(s[0].Stories, s[0].Stories[0])
			return s
		}, nil, BootstrapOptions{}, "twice"},
		{"one tuned, one not", func(s []Subject) []Subject {
			other := good()[0]
			other.Stories[0].Tuned = nil
			return append(s, other)
		}, nil, BootstrapOptions{}, "0 tuned predictions"},
		{"column", nil, []Group{{Name: "AC", Columns: [][]int{{2}}}}, BootstrapOptions{}, "AC: column 2"},
		{"subjects", nil, []Group{{Name: "AC", Columns: [][]int{{1}, {1}}}}, BootstrapOptions{}, "2 subjects of 1"},
		{"resamples", nil, nil, BootstrapOptions{Resamples: 1}, "1 resamples"},
	} {
		t.Run(c.name, func(t *testing.T) {
			subjects := good()
			if c.spoil != nil {
				subjects = c.spoil(subjects)
			}
			_, err := PairedBootstrap(t.Context(), subjects, c.groups, c.opt)
			require.ErrorContains(t, err, c.why)
			assert.Equal(t, fault.BadData, fault.KindOf(err))
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := PairedBootstrap(ctx, good(), []Group{{}}, BootstrapOptions{})
	require.ErrorIs(t, err, context.Canceled)
}

func BenchmarkPairedBootstrap(b *testing.B) {
	subject := Subject{Voxels: 1000, Stories: []Story{study(seeded(10), "a", 500, 1000, .3, 1, 1)}}
	for b.Loop() {
		_, err := PairedBootstrap(b.Context(), []Subject{subject}, []Group{{}}, BootstrapOptions{BlockRows: 10})
		require.NoError(b, err)
	}
}
