package responses

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/internal/brain/colstats"
	"github.com/brainwavlm/bwlm/npy"
)

// reference holds the standardised responses of a subject as matrices in memory: the bits that rows
// on demand must have.
type reference struct {
	columns int
	splits  [][]design.Rows
	repeats map[string]*dataset.Matrix // without drift
	zscore  map[string]design.ZScore   // of the stories that are z-scored
	data    map[string][]float32       // the mean over repeats, standardised
}

func newReference(raw map[string]*dataset.Matrix, splits [][]design.Rows, how Standardisation) *reference {
	r := &reference{splits: splits, repeats: map[string]*dataset.Matrix{}, zscore: map[string]design.ZScore{},
		data: map[string][]float32{}}
	for story, m := range raw {
		r.columns, r.repeats[story] = m.Voxels, m
		if how.Polynomials > 0 {
			r.repeats[story] = detrended(m, how.Polynomials-1)
		}
	}
	var train design.ZScore
	if how.ZScore == ZScoreTrain {
		train = r.mergedTrain()
	}
	for story, m := range r.repeats {
		r.data[story] = m.Mean()
		switch how.ZScore {
		case ZScoreStory:
			r.zscore[story] = design.FitZScore(r.data[story], m.Rows, r.columns, r.statisticsRows(story)...)
		case ZScoreTrain:
			r.zscore[story] = train
		default:
			continue
		}
		r.data[story] = r.zscore[story].Apply(r.data[story])
	}
	return r
}

// mergedTrain merges the moments of the training rows of each story, in the order of the split.
func (r *reference) mergedTrain() design.ZScore {
	var parts []*colstats.Moments
	seen := map[string]bool{}
	for _, p := range r.splits[0] {
		if seen[p.Story] {
			continue
		}
		seen[p.Story] = true
		rows := of(r.splits[0], p.Story)
		m := colstats.NewMoments(count(rows), r.columns)
		x := r.repeats[p.Story].Mean()
		each := func(add func(int, []float32)) {
			for _, own := range rows {
				for k := own.From; k < own.To; k++ {
					add(0, x[k*r.columns:][:r.columns])
				}
			}
		}
		each(m.Add)
		m.Centre(0, r.columns)
		each(m.AddSquares)
		parts = append(parts, m)
	}
	mean, sd := colstats.Merge(r.columns, parts...).MeanSD()
	return design.ZScore{Mean: mean, SD: sd}
}

// detrended removes drift of the given degree from each repeat. A constant column becomes exactly
// 0.
func detrended(m *dataset.Matrix, degree int) *dataset.Matrix {
	out := *m
	out.Data = nil
	for k := range m.Repeats {
		raw := repeatOf(m, k)
		rest := design.Detrend(raw, m.Rows, m.Voxels, degree)
		for c := range m.Voxels {
			varying := false
			for r := 1; r < m.Rows; r++ {
				varying = varying || raw[r*m.Voxels+c] != raw[c]
			}
			for r := 0; r < m.Rows && !varying; r++ {
				rest[r*m.Voxels+c] = 0
			}
		}
		out.Data = append(out.Data, rest...)
	}
	return &out
}

func (r *reference) statisticsRows(story string) []design.Rows {
	for _, split := range r.splits {
		if rows := of(split, story); rows != nil {
			return rows
		}
	}
	return nil
}

func (r *reference) stack(split int, of func(story string) []float32) (x []float32, rows int) {
	for _, p := range r.splits[split] {
		x = append(x, of(p.Story)[p.From*r.columns:p.To*r.columns]...)
		rows += p.Len()
	}
	return x, rows
}

func (r *reference) repeat(story string, k int) []float32 {
	if z, ok := r.zscore[story]; ok {
		return z.Apply(repeatOf(r.repeats[story], k))
	}
	return repeatOf(r.repeats[story], k)
}

func (r *reference) varies(split int) []bool {
	out := make([]bool, r.columns)
	x, rows := r.stack(split, func(story string) []float32 { return r.data[story] })
	for k := range rows {
		for c, y := range x[k*r.columns:][:r.columns] {
			out[c] = out[c] || y != x[c]
		}
	}
	return out
}

// repeatOf returns one repeat, (Rows, Voxels).
func repeatOf(m *dataset.Matrix, k int) []float32 {
	return m.Data[k*m.Rows*m.Voxels:][:m.Rows*m.Voxels]
}

// allRows returns all rows of a story.
func allRows(s *SubjectResponses, story string) design.Rows {
	return design.Rows{Story: story, To: s.Rows(story)}
}

// sameBits requires the same values, bit by bit.
func sameBits(t *testing.T, want, got []float32) {
	t.Helper()
	require.Len(t, got, len(want))
	for i, x := range got {
		if math.Float32bits(x) != math.Float32bits(want[i]) {
			t.Fatalf("value %d is %g, want %g", i, x, want[i])
		}
	}
}

// equal requires that rows on demand are those of the matrices in memory, bit by bit.
func (r *reference) equal(t *testing.T, s *SubjectResponses, rng *rand.Rand) {
	t.Helper()
	ctx := t.Context()
	some := []int{}
	for c := range r.columns {
		if rng.IntN(3) == 0 {
			some = append(some, c)
		}
	}
	for story, m := range r.repeats {
		sel := s.Select(allRows(s, story))
		got, err := sel.ReadAll(ctx)
		require.NoError(t, err)
		sameBits(t, r.data[story], got)
		for k := range m.Repeats {
			out := make([]float32, m.Rows*r.columns)
			require.NoError(t, sel.ReadRepeat(ctx, k, 0, m.Rows, out))
			sameBits(t, r.repeat(story, k), out)
		}
		require.Equal(t, constantIn(m, 0, m.Rows), s.Constant(story), story)
		if s.how.Polynomials == 0 {
			require.Equal(t, rawIn(m), s.Raw(story), story)
		}
		if z, ok := r.zscore[story]; ok {
			require.Equal(t, z, *s.ZScore(story))
		} else {
			require.Nil(t, s.ZScore(story))
		}
	}
	for split, ranges := range r.splits {
		require.Equal(t, r.varies(split), s.Varies(split), "split %d", split)
		want, rows := r.stack(split, func(story string) []float32 { return r.data[story] })
		sel := s.Select(ranges...)
		require.Equal(t, rows, sel.Rows)
		if rows == 0 {
			continue
		}
		from := rng.IntN(rows)
		to := from + rng.IntN(rows-from+1)
		out := make([]float32, (to-from)*r.columns)
		require.NoError(t, sel.ReadRows(ctx, from, to, out))
		sameBits(t, want[from*r.columns:to*r.columns], out)
		out, picked := make([]float32, (to-from)*len(some)), []float32(nil)
		require.NoError(t, sel.Of(some).ReadRows(ctx, from, to, out))
		for k := from; k < to; k++ {
			for _, c := range some {
				picked = append(picked, want[k*r.columns+c])
			}
		}
		sameBits(t, picked, out)
		first := rng.IntN(r.columns)
		last := first + rng.IntN(r.columns-first+1)
		out, picked = make([]float32, (last-first)*rows), nil
		require.NoError(t, sel.Read(first, last, out))
		for c := first; c < last; c++ {
			for k := range rows {
				picked = append(picked, want[k*r.columns+c])
			}
		}
		sameBits(t, picked, out)
	}
}

// randomMatrix has large means, drift, columns that are constant in all or in one repeat, and a
// column whose values differ by less than a z-score shows.
func randomMatrix(rng *rand.Rand, repeats, rows, columns int) *dataset.Matrix {
	m := &dataset.Matrix{Repeats: repeats, Rows: rows, Voxels: columns, Data: make([]float32, repeats*rows*columns)}
	for c := range columns {
		kind, mean, slope := rng.IntN(8), 2e4*rng.Float64(), rng.NormFloat64()
		for r := range repeats {
			for k := range rows {
				x := mean + slope*float64(k) + rng.NormFloat64()
				switch {
				case kind == 0:
					x = 1234.567
				case kind == 1 && r == 0:
					x = mean
				case kind == 2: // a line, of which no drift is left but rounding
					x = float64(3 * k)
				case kind == 3:
					x = 1e7 + float64(k%2)
				case kind == 4: // of which each sum depends on its order
					x = rng.NormFloat64() * math.Pow(10, 16*rng.Float64()-8)
				}
				m.Row(r, k)[c] = float32(x)
			}
		}
	}
	return m
}

// randomSplits draws ranges of some of the stories for each split: in any order, several of a
// story, also in two splits.
func randomSplits(rng *rand.Rand, rows map[string]int) [][]design.Rows {
	splits := make([][]design.Rows, 3)
	stories := slices.Sorted(maps.Keys(rows))
	rng.Shuffle(len(stories), func(i, j int) { stories[i], stories[j] = stories[j], stories[i] })
	for _, story := range stories {
		n := rows[story]
		for range rng.IntN(4) {
			from := rng.IntN(n)
			split := rng.IntN(3)
			splits[split] = append(splits[split], design.Rows{Story: story, From: from,
				To: from + 1 + rng.IntN(n-from)})
		}
		if rng.IntN(2) == 0 {
			splits[0] = append(splits[0], design.Rows{Story: story, To: n})
		}
	}
	if rng.IntN(2) == 0 { // stories by turns
		rng.Shuffle(len(splits[0]), func(i, j int) { splits[0][i], splits[0][j] = splits[0][j], splits[0][i] })
	}
	return splits
}

func TestRowsOnDemandAreBitIdentical(t *testing.T) {
	if testing.Short() {
		t.Skip("many data sets")
	}
	for try := range tries {
		t.Run(fmt.Sprint(try), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(try), 7))
			columns := []int{1, 3, 17, 17, 2100}[rng.IntN(5)]
			raw, rows := map[string]*dataset.Matrix{}, map[string]int{}
			ways := map[string]map[string]*dataset.Responses{}
			for _, story := range []string{"a", "b", "c"}[:1+rng.IntN(3)] {
				rows[story] = 8 + rng.IntN(12)
				raw[story] = randomMatrix(rng, 1+rng.IntN(3), rows[story], columns)
				ways[story] = openings(t, raw[story])
			}
			splits, others := randomSplits(rng, rows), randomSplits(rng, rows)
			if rng.IntN(2) == 0 { // as when less of the training rows is used
				others[1], others[2] = splits[1], splits[2]
			}
			for _, polynomials := range []int{0, 1, 1 + rng.IntN(7)} {
				for _, rule := range []ZScoreRule{ZScoreNone, ZScoreStory, ZScoreTrain} {
					how := Standardisation{Polynomials: polynomials, ZScore: rule}
					before, after := newReference(raw, splits, how), newReference(raw, others, how)
					for _, kind := range []string{"memory", "rows", "columns", "generator", "mixed"} {
						var opened []*dataset.Responses
						for i, story := range slices.Sorted(maps.Keys(raw)) {
							way := kind
							if kind == "mixed" {
								way = []string{"rows", "columns", "memory"}[i]
							}
							r := *ways[story][way]
							r.Story = story
							opened = append(opened, &r)
						}
						s, err := Standardise(opened, splits, how)
						require.NoError(t, err)
						require.NoError(t, s.Measure(t.Context()))
						require.NoError(t, s.Measure(t.Context()), "a second time it does nothing")
						before.equal(t, s, rng)
						lazy, err := Standardise(opened, splits, how)
						require.NoError(t, err)
						before.readFirst(t, lazy)
						before.equal(t, lazy, rng)
						less := s.Resplit(others)
						require.NoError(t, less.Measure(t.Context()))
						after.equal(t, less, rng)
						before.equal(t, s, rng)
					}
				}
			}
		})
	}
}

// readFirst reads rows before anything is measured, which measures their stories, and then the rest.
func (r *reference) readFirst(t *testing.T, s *SubjectResponses) {
	t.Helper()
	for split, ranges := range r.splits {
		want, _ := r.stack(split, func(story string) []float32 { return r.data[story] })
		got, err := s.Select(ranges...).ReadAll(t.Context())
		require.NoError(t, err)
		sameBits(t, want, got)
		if s.how.ZScore == ZScoreTrain {
			continue
		}
		require.Equal(t, r.varies(split), s.Varies(split), "split %d, %v", split, s.how)
		scored := make([]float32, len(want)) // z-scored once more
		for _, story := range slices.Sorted(maps.Keys(r.repeats)) {
			var places []design.Rows
			at := 0
			for _, p := range ranges {
				if p.Story == story {
					places = append(places, design.Rows{From: at, To: at + p.Len()})
				}
				at += p.Len()
			}
			z := design.FitZScore(want, at, r.columns, append(places, design.Rows{})...)
			for _, p := range places {
				copy(scored[p.From*r.columns:], z.Apply(want[p.From*r.columns:p.To*r.columns]))
			}
		}
		again, err := s.Scored(split).ReadAll(t.Context())
		require.NoError(t, err)
		sameBits(t, scored, again)
	}
	require.NoError(t, s.Measure(t.Context()))
}

// little makes slabs, and what is held of a story, small.
func little(t *testing.T, slab, hold int) {
	was := [2]int{slabBytes, holdBytes}
	slabBytes, holdBytes = slab, hold
	t.Cleanup(func() { slabBytes, holdBytes = was[0], was[1] })
}

// Passes over more than one slab and more than one tile give bit-identical results.
func TestSeveralSlabsAreBitIdentical(t *testing.T) {
	if testing.Short() {
		t.Skip("many data sets")
	}
	for _, hold := range []int{0, 1 << 20, 1 << 30} { // no story is held, one is, both are
		t.Run(fmt.Sprint(hold), func(t *testing.T) { little(t, 100<<10, hold); testSlabs(t) })
	}
}

func testSlabs(t *testing.T) {
	const rows, columns = 140, 2100 // 1.2 MB
	rng := rand.New(rand.NewPCG(3, 4))
	raw := map[string]*dataset.Matrix{"a": randomMatrix(rng, 1, rows, columns),
		"b": randomMatrix(rng, 1, rows/2, columns)}
	splits := [][]design.Rows{{{Story: "a", From: 5, To: 100}, {Story: "b", From: 3, To: 30}},
		{{Story: "a", From: 100, To: 140}}, {{Story: "b", From: 35, To: 60}, {Story: "b", From: 61, To: 70}}}
	ways := map[string]map[string]*dataset.Responses{"a": openings(t, raw["a"]), "b": openings(t, raw["b"])}
	for _, how := range []Standardisation{{ZScore: ZScoreStory}, {Polynomials: 2, ZScore: ZScoreStory},
		{Polynomials: 3, ZScore: ZScoreTrain}} {
		want := newReference(raw, splits, how)
		for _, kind := range []string{"rows", "columns"} {
			var opened []*dataset.Responses
			for _, story := range []string{"a", "b"} {
				r := *ways[story][kind]
				r.Story = story
				opened = append(opened, &r)
			}
			for _, lazy := range []bool{false, true} {
				s, err := Standardise(opened, splits, how)
				require.NoError(t, err)
				if lazy {
					want.readFirst(t, s)
				}
				require.NoError(t, s.Measure(t.Context()))
				want.equal(t, s, rng)
			}
		}
	}
}

func TestStandardiseRefusesShapes(t *testing.T) {
	open := func(story string, m *dataset.Matrix) *dataset.Responses {
		r := openings(t, m)["rows"]
		r.Story = story
		return r
	}
	a, b := open("a", noise(8, 3)), open("b", noise(8, 4))
	_, err := Standardise([]*dataset.Responses{a, b}, nil, Standardisation{})
	require.ErrorContains(t, err, "s/b: 4 voxels, other stories have 3")
	_, err = Standardise([]*dataset.Responses{a}, nil, Standardisation{Polynomials: 9})
	require.ErrorContains(t, err, "8 rows cannot carry drift of degree 8; lower data.detrend")
	require.Panics(t, func() {
		_, _ = Standardise([]*dataset.Responses{a}, [][]design.Rows{{{Story: "a", To: 9}}},
			Standardisation{})
	})

	s, err := Standardise([]*dataset.Responses{a}, [][]design.Rows{{{Story: "a", To: 8}}}, Standardisation{})
	require.NoError(t, err)
	require.Panics(t, func() { s.Varies(0) })
	require.NoError(t, s.Measure(t.Context()))
	require.Equal(t, []bool{true, true, true}, s.Varies(0))
	require.Panics(t, func() { s.Select(design.Rows{Story: "b", To: 1}) })
	require.Panics(t, func() { s.Select(design.Rows{Story: "a", To: 9}) })
	require.Panics(t, func() { s.Select(allRows(s, "a")).Of([]int{1, 0}) })
	require.Panics(t, func() { _ = s.Select(allRows(s, "a")).ReadRows(t.Context(), 0, 9, make([]float32, 30)) })
}

// A file that changes after it was measured is noticed, and not read by what was measured of
// another.
func TestAFileThatChangesIsNoticed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npy")
	require.NoError(t, npy.Write(path, []int{2, 2}, []float32{1, 2, 3, 4}))
	r, err := toy(t, dataset.Response{Source: file(t, path)}).OpenResponses(t.Context(), "s", "a")
	require.NoError(t, err)
	r.Story = "a"
	s, err := Standardise([]*dataset.Responses{r}, nil, Standardisation{ZScore: ZScoreStory})
	require.NoError(t, err)
	require.NoError(t, s.Measure(t.Context()))
	require.NoError(t, npy.Write(path, []int{3, 2}, []float32{1, 2, 3, 4, 5, 6}))
	_, err = s.Select(allRows(s, "a")).ReadAll(t.Context())
	require.ErrorContains(t, err, "has changed")
}
