package sim

import (
	"math"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/brain/stats"
)

// small has few voxels and stories, but enough rows to see their statistics.
func small(opt Options) *Study {
	opt.TuneStories, opt.ValStories, opt.TestStories, opt.ProbeStories = 5, 1, 4, 1
	opt.Voxels = 45
	s, err := New(opt)
	if err != nil {
		panic(err)
	}
	return s
}

// shared is for the tests that only look at a study.
var shared = sync.OnceValue(func() *Study { return small(Options{Seed: 2}) })

func TestLexicon(t *testing.T) {
	lex, err := LoadLexicon()
	require.NoError(t, err)
	assert.Len(t, lex.Words, 30)
	assert.Len(t, lex.voicesOf(roleTune), 8)
	assert.Len(t, lex.voicesOf(roleTest), 2)
	assert.Len(t, lex.voicesOf(roleProbe), 1)
	for _, v := range lex.voices {
		most := float32(0)
		for w, x := range v.Sound {
			seconds := float64(len(x)) / audio.Rate
			assert.True(t, seconds > .1 && seconds < 1.2, "%s %s: %g s", v.Name, lex.Words[w], seconds)
			most = max(most, peak(x))
		}
		assert.Equal(t, float32(1), most, v.Name)
	}
	for _, set := range [][][]float64{lex.Planted, lex.Control} {
		require.Len(t, set, len(lex.Words))
		mean, sd := moments(set)
		for j := range lexicalNumbers {
			assert.InDelta(t, 0, mean[j], 1e-4)
			assert.InDelta(t, 1, sd[j], 1e-4)
		}
	}
}

func TestSpectrumFindsATone(t *testing.T) {
	wave := make([]float32, audio.Rate)
	for i := range wave {
		wave[i] = .5 * float32(math.Sin(2*math.Pi*1000*float64(i)/audio.Rate))
	}
	edges := bandEdges()
	want := 0
	for edges[want+1] <= 1000/ticksPerSecond {
		want++
	}
	for _, row := range spectrum(wave) {
		assert.InDelta(t, .5/math.Sqrt2, row[0], 1e-3)
		for b := range bands {
			if b != want {
				assert.Greater(t, row[1+want], row[1+b]+1)
			}
		}
	}
}

func TestStoryTimesAreExact(t *testing.T) {
	s := shared()
	story := s.stories[0]
	wave := story.sound(s.Lexicon)
	require.Len(t, wave, 60*TR*audio.Rate)
	assert.InDelta(t, storyPeak, peak(wave), .02)
	words, err := s.Dataset.Words(t.Context(), story.Name)
	require.NoError(t, err)
	require.Greater(t, len(words), 100)
	for i, w := range words {
		from, to := int(math.Round(w.Onset*audio.Rate)), int(math.Round(w.Offset*audio.Rate))
		inside := wave[from:to]
		assert.Greater(t, peak(inside), float32(.1), w.Text)
		if i > 0 {
			before := wave[int(math.Round(words[i-1].Offset*audio.Rate)):from]
			assert.GreaterOrEqual(t, float64(len(before)), minPause*audio.Rate-2)
			assert.Less(t, peak(before), float32(7*noiseFloor), "silence before %s", w.Text)
		}
	}
}

func TestVoicesKeepTheirRoles(t *testing.T) {
	s := shared()
	roles := map[string]role{}
	for _, story := range s.stories {
		roles[story.Name] = story.Role
	}
	for role, names := range map[role][][]string{roleTune: {s.TuneStories, s.ValStories}, roleTest: {s.TestStories},
		roleProbe: {s.ProbeStories}} {
		for _, list := range names {
			for _, n := range list {
				assert.Equal(t, role, roles[n], n)
			}
		}
	}
}

func TestHaemodynamicPeak(t *testing.T) {
	for _, peak := range []float64{4.5, 5.3, 6.5} {
		h := hrf(peak)
		at, sum := 0, 0.
		for i, x := range h {
			if x > h[at] {
				at = i
			}
			sum += math.Abs(x)
		}
		assert.InDelta(t, peak, float64(at)/ticksPerSecond, .11)
		assert.InDelta(t, 1, sum, 1e-9)
	}
}

// An impulse in the feature comes out as the haemodynamic response, sampled at the ends of rows.
func TestAnswerClock(t *testing.T) {
	feature := make([]float64, 10*ticksPerRow)
	feature[ticksPerRow] = 1 // at second TR
	h := hrf(5)
	got := convolveRows(feature, h, 10)
	assert.Zero(t, got[0])
	for k := 1; k < 10; k++ {
		assert.Equal(t, h[k*ticksPerRow-1], got[k], "row %d", k)
	}
}

func TestNoise(t *testing.T) {
	p := newSubject("somebody", Options{Seed: 4}.withDefaults())
	const rows = 20000
	mixing := p.mixing[:3]
	e := noise(random(1, "test"), rows, mixing)
	column := func(v, from, to int) (x []float64) {
		for k := from; k < to; k++ {
			x = append(x, e[k][v])
		}
		return x
	}
	r := func(a, b []float64) (sum float64) {
		for i := range a {
			sum += a[i] * b[i] / float64(len(a))
		}
		return sum
	}
	for v := range mixing {
		assert.InDelta(t, 1, r(column(v, 0, rows), column(v, 0, rows)), .06)
		assert.InDelta(t, noiseMemory, r(column(v, 0, rows-1), column(v, 1, rows)), .05)
	}
	shared := 0.
	for j := range sharedSource {
		shared += sharedPower * mixing[0][j] * mixing[1][j]
	}
	assert.InDelta(t, shared, r(column(0, 0, rows), column(1, 0, rows)), .05)
}

// The responses must be what the truth says: the signal reaches its ceiling, noise voxels nothing.
func TestCeilings(t *testing.T) {
	s := shared()
	for _, p := range s.Subjects {
		want := p.Ceiling(s.Options.TestRepeats)
		got, estimated := make([]float64, len(want)), make([]float64, len(want))
		for _, story := range s.TestStories {
			m, err := s.Dataset.ReadResponses(t.Context(), p.Name, story)
			require.NoError(t, err)
			require.Equal(t, 5, m.Repeats)
			r, _ := stats.Correlation(p.Signal[story], m.Mean(), m.Rows, m.Voxels)
			c := stats.Ceiling(m.Data, m.Repeats, m.Rows, m.Voxels)
			for v := range r {
				got[v] += r[v] / float64(len(s.TestStories))
				estimated[v] += c.CCMax[v] / float64(len(s.TestStories))
			}
		}
		for _, region := range []string{Auditory, Semantic, Noise} {
			columns := p.Columns(region)
			mean := func(x []float64) (m float64) {
				for _, v := range columns {
					m += x[v] / float64(len(columns))
				}
				return m
			}
			assert.InDelta(t, mean(want), mean(got), .05, "%s %s", p.Name, region)
			if mean(want) > 0 {
				assert.InDelta(t, mean(want), mean(estimated), .08, "%s %s, estimated from the repeats", p.Name, region)
			}
		}
	}
	assert.Zero(t, s.Subject(Unrelated).SNR[s.Subject(Unrelated).Columns(Auditory)[0]])
}

// Signals have mean 0 and SD 1 over the tuning stories (validation stories are of the same role).
func TestSignalScale(t *testing.T) {
	s := shared()
	p := s.Subject(Related)
	voxels := len(p.ROI)
	for _, v := range []int{0, voxels / 2} {
		var x [][]float64
		for _, story := range append(s.TuneStories, s.ValStories...) {
			for k := range s.Options.Rows {
				x = append(x, []float64{float64(p.Signal[story][k*voxels+v])})
			}
		}
		mean, sd := moments(x)
		assert.InDelta(t, 0, mean[0], 1e-5)
		assert.InDelta(t, 1, sd[0], 1e-5)
	}
}

func TestNull(t *testing.T) {
	s := small(Options{Null: true})
	for _, p := range s.Subjects {
		for v := range p.ROI {
			require.Zero(t, p.SNR[v])
			require.Zero(t, p.Ceiling(5)[v])
		}
	}
	m, err := s.Dataset.ReadResponses(t.Context(), Listener, s.TestStories[0])
	require.NoError(t, err)
	var x [][]float64
	for _, v := range m.Data {
		x = append(x, []float64{float64(v)})
	}
	_, sd := moments(x)
	assert.InDelta(t, 1, sd[0], .1)
}

func TestSeeds(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	response := func(s *Study) []float32 {
		m, err := s.Dataset.ReadResponses(t.Context(), Listener, s.TuneStories[0])
		require.NoError(t, err)
		return m.Data
	}
	one, again, other := shared(), small(Options{Seed: 2}), small(Options{Seed: 3})
	assert.Equal(t, response(one), response(again))
	assert.Equal(t, one.stories[0].sound(one.Lexicon), again.stories[0].sound(again.Lexicon))
	assert.NotEqual(t, response(one), response(other))
	assert.NotEqual(t, one.stories[0].words, other.stories[0].words)
}

func TestShuffled(t *testing.T) {
	s := shared()
	for _, story := range []string{s.TuneStories[0], s.ValStories[0], s.TestStories[0]} {
		truth, err := s.Dataset.ReadResponses(t.Context(), Listener, story)
		require.NoError(t, err)
		rolled, err := s.Dataset.ReadResponses(t.Context(), Shuffled, story)
		require.NoError(t, err)
		if story == s.TestStories[0] {
			assert.Same(t, truth, rolled)
			continue
		}
		by := -1
		for k := range rolled.Rows {
			if assert.ObjectsAreEqual(truth.Row(0, 0), rolled.Row(0, k)) {
				by = k
			}
		}
		require.True(t, by >= minRoll && by <= rolled.Rows-minRoll, "rolled by %d rows", by)
		for k := range rolled.Rows {
			assert.Equal(t, truth.Row(0, k), rolled.Row(0, (k+by)%rolled.Rows))
		}
	}
	assert.True(t, s.Dataset.IsDerived(Shuffled))
}

func TestRegressors(t *testing.T) {
	s := shared()
	assert.Nil(t, s.Regressors("nowhere"))
	story := s.stories[0]
	r := s.Regressors(story.Name)
	rows, words := story.Rows, len(s.Lexicon.Words)
	require.Len(t, r.Spectrum, rows*spectrumNumbers)
	require.Len(t, r.Identity, rows*words)
	require.Len(t, r.Planted, rows*lexicalNumbers)
	heard, started := 0., 0.
	for _, x := range r.Identity {
		heard += float64(x) * TR
	}
	for _, x := range r.WordRate {
		started += float64(x) * TR
	}
	spoken := 0.
	for _, w := range story.wordTimes(s.Lexicon) {
		spoken += w.Offset - w.Onset
	}
	assert.InDelta(t, spoken, heard, 1e-3)
	assert.InDelta(t, len(story.words), started, 1e-3)
	// The components of a row are those of its words.
	for k := range rows {
		for j := range lexicalNumbers {
			planted, control := 0., 0.
			for w := range words {
				share := float64(r.Identity[k*words+w])
				planted += share * s.Lexicon.Planted[w][j]
				control += share * s.Lexicon.Control[w][j]
			}
			assert.InDelta(t, planted, r.Planted[k*lexicalNumbers+j], 1e-5)
			assert.InDelta(t, control, r.Control[k*lexicalNumbers+j], 1e-5)
		}
	}
}

func TestDataset(t *testing.T) {
	s := shared()
	subjects, err := s.Dataset.Subjects("all")
	require.NoError(t, err)
	assert.Equal(t, []string{Listener, Related, Unrelated}, subjects)
	total := 0
	for _, region := range []string{Auditory, Semantic, Noise} {
		columns, err := s.Dataset.ROI(t.Context(), region, Listener, 45)
		require.NoError(t, err)
		total += len(columns)
	}
	assert.Equal(t, 45, total)
	assert.Equal(t, append(append(append([]string{}, s.TuneStories...), s.ValStories...), s.TestStories...),
		s.Dataset.StoriesOf(Listener))
	wave, err := s.Dataset.Audio(t.Context(), s.ProbeStories[0])
	require.NoError(t, err)
	clock, err := s.Dataset.Clock(s.ProbeStories[0])
	require.NoError(t, err)
	assert.InDelta(t, float64(len(wave))/audio.Rate, clock.Time(59), 1e-9)
}
