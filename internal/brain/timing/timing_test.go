package timing

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/sim"
)

// altered copies a data set into memory, audio decoded once, and lets change alter it.
func altered(t *testing.T, d *dataset.Dataset, change func(*dataset.Spec)) *dataset.Dataset {
	t.Helper()
	spec := dataset.Spec{Name: d.Name(), TR: d.TR(), RowTime: d.RowTime()}
	for _, name := range d.Stories() {
		s, err := d.Story(name)
		require.NoError(t, err)
		wave, err := d.Audio(t.Context(), name)
		require.NoError(t, err)
		copied := *s
		copied.Audio, copied.Stream = dataset.Value(wave), nil
		spec.Stories = append(spec.Stories, copied)
	}
	for _, name := range d.SubjectNames() {
		p := dataset.Subject{Name: name}
		for _, story := range d.StoriesOf(name) {
			m, err := d.ReadResponses(t.Context(), name, story)
			require.NoError(t, err)
			p.Responses = append(p.Responses, dataset.Response{Story: story, Matrix: dataset.Value(m)})
		}
		spec.Subjects = append(spec.Subjects, p)
	}
	if change != nil {
		change(&spec)
	}
	out, err := dataset.New(spec)
	require.NoError(t, err)
	return out
}

// moved rolls the rows of a response down.
func moved(t *testing.T, r *dataset.Response, by int) {
	m, err := r.Matrix.Load(t.Context())
	require.NoError(t, err)
	out := dataset.NewMatrix(m.Rows, m.Voxels, make([]float32, m.Rows*m.Voxels))
	for k := range m.Rows {
		copy(out.Row(0, (k+by+m.Rows)%m.Rows), m.Row(0, k))
	}
	r.Matrix = dataset.Value(out)
}

// around adds rows of noise before and after the responses to all stories, and has the clock begin earlier.
func around(t *testing.T, s *dataset.Spec, before, after int) {
	for i := range s.Stories {
		s.Stories[i].First -= float64(before) * s.TR
	}
	rng := rand.New(rand.NewPCG(7, 7))
	for _, p := range s.Subjects {
		for k := range p.Responses {
			m, err := p.Responses[k].Matrix.Load(t.Context())
			require.NoError(t, err)
			out := dataset.NewMatrix(before+m.Rows+after, m.Voxels, make([]float32, (before+m.Rows+after)*m.Voxels))
			for i := range out.Data {
				out.Data[i] = float32(rng.NormFloat64())
			}
			for j := range m.Rows {
				copy(out.Row(0, before+j), m.Row(0, j))
			}
			p.Responses[k].Matrix = dataset.Value(out)
		}
	}
}

func examined(t *testing.T, d *dataset.Dataset, opt Options) *Report {
	t.Helper()
	r, err := Run(t.Context(), d, opt)
	require.NoError(t, err)
	return r
}

// found is the finding about something, the gravest if there are several.
func found(r *Report, about string) Finding {
	out := Finding{}
	for _, f := range r.Findings {
		if f.About == about && (out.About == "" || worst([]Finding{out, f}) != out.Verdict) {
			out = f
		}
	}
	return out
}

// small is a simulated study of 12 stories of two minutes.
var small = sim.Options{Seed: 11, TuneStories: 10, ValStories: 1, TestStories: 1, ProbeStories: 1, TestRepeats: 1,
	Voxels: 45}

// subjects are the subjects to examine.
var subjects = []string{sim.Listener, sim.Related}

// planted is the small study in memory.
func planted(t *testing.T) *dataset.Dataset {
	t.Helper()
	s, err := sim.New(small)
	require.NoError(t, err)
	return altered(t, s.Dataset, nil)
}

// More of what can be planted is in planted_slow_test.go.
func TestPlantedTruthIsFound(t *testing.T) {
	if testing.Short() {
		t.Skip("many simulated subjects")
	}
	plain := planted(t)
	calls := 0
	before := examined(t, plain, Options{Subjects: subjects, Progress: func(done, total int) {
		calls++
		assert.LessOrEqual(t, done, total)
	}})
	assert.Equal(t, OK, before.Verdict, "%+v", before.Findings)
	assert.True(t, before.Clear)
	assert.Greater(t, *before.PeakR, .1)
	assert.Positive(t, calls)
	assert.InDelta(t, .25, *before.Lag, .75, "simulated responses peak after 4.5 to 6.5 s, the canonical one after 5")
	require.NotNil(t, before.CI95)
	assert.True(t, before.CI95[0] < *before.Lag && *before.Lag < before.CI95[1] && before.CI95[1]-before.CI95[0] < 1)
	assert.Len(t, before.R, len(before.Lags))
	assert.Equal(t, featureNames, before.Features)
	assert.Equal(t, Story{Story: "tune-01", Seconds: 120, TRs: 60, Rows: 60, Fewest: 60}, before.Stories[0])

	t.Run("an offset of one", func(t *testing.T) {
		one := altered(t, plain, func(s *dataset.Spec) {
			for k := range s.Subjects[1].Responses {
				moved(t, &s.Subjects[1].Responses[k], -3)
			}
		})
		r := examined(t, one, Options{Subjects: subjects})
		assert.InDelta(t, -6, *r.PerSubject[sim.Related].Lag-*before.PerSubject[sim.Related].Lag, .5)
		assert.InDelta(t, *before.PerSubject[sim.Listener].Lag, *r.PerSubject[sim.Listener].Lag, 1e-9)
		f := r.Findings[slices.IndexFunc(r.Findings, func(f Finding) bool { return f.Where == sim.Related })]
		assert.Equal(t, Check, f.Verdict)
		assert.Contains(t, f.Text, "earlier than the audio clock says")
	})
	t.Run("scanning that begins before the story and ends after it", func(t *testing.T) {
		for after, want := range map[int]Verdict{10: OK, 15: Check} { // 20 s are usual, 30 s are more
			r := examined(t, altered(t, plain, func(s *dataset.Spec) { around(t, s, 5, after) }),
				Options{Subjects: subjects})
			assert.Equal(t, want, r.Verdict, "%+v", r.Findings)
			assert.Equal(t, want, found(r, "lengths").Verdict)
			assert.Contains(t, found(r, "lengths").Text, "stories have rows outside the audio")
			assert.InDelta(t, *before.Lag, *r.Lag, .25)
		}
	})
	t.Run("swapped stories", func(t *testing.T) {
		swapped := altered(t, plain, func(s *dataset.Spec) {
			r := s.Subjects[0].Responses
			r[2].Matrix, r[8].Matrix = r[8].Matrix, r[2].Matrix
		})
		r := examined(t, swapped, Options{Subjects: subjects})
		f := found(r, "stories")
		assert.Equal(t, Wrong, f.Verdict, "%+v", r.Findings)
		assert.Equal(t, sim.Listener, f.Where)
		assert.Contains(t, f.Text, "tune-03 and tune-09 look swapped")
	})
}

func TestNothingIsFoundWhereNothingIs(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	null := small
	null.Null, null.TuneStories = true, 5
	s, err := sim.New(null)
	require.NoError(t, err)
	r := examined(t, s.Dataset, Options{})
	assert.False(t, r.Clear)
	assert.Equal(t, Check, r.Verdict)
	assert.Equal(t, Check, found(r, "lag").Verdict)
	assert.Equal(t, OK, found(r, "stories").Verdict)
	assert.Less(t, *r.PeakR, .05)
}

func TestDataThatCannotBeScanned(t *testing.T) {
	short := small
	short.TuneStories, short.Rows = 2, 24
	s, err := sim.New(short)
	require.NoError(t, err)
	r := examined(t, s.Dataset, Options{})
	assert.Nil(t, r.Lag)
	assert.Nil(t, r.CI95)
	assert.Contains(t, found(r, "lag").Text, "nothing to scan")
	text, err := json.Marshal(r)
	require.NoError(t, err)
	assert.Contains(t, string(text), `"lag_seconds":null,"ci95":null,"peak_r":null,"clear":false`)
	assert.Contains(t, string(text), `"per_subject":{}`)

	broken := altered(t, s.Dataset, func(s *dataset.Spec) {
		m, _ := s.Subjects[0].Responses[0].Matrix.Load(t.Context())
		spoilt := dataset.NewMatrix(m.Rows, m.Voxels, slices.Clone(m.Data))
		spoilt.Data[7] = float32(math.NaN())
		s.Subjects[0].Responses[0].Matrix = dataset.Value(spoilt)
	})
	r = examined(t, broken, Options{})
	assert.Equal(t, Wrong, r.Verdict)
	assert.Contains(t, found(r, "data").Text, "not finite")

	halved := altered(t, s.Dataset, func(s *dataset.Spec) { s.TR = 1 })
	r = examined(t, halved, Options{})
	assert.Equal(t, Wrong, found(r, "lengths").Verdict)
	assert.Contains(t, found(r, "lengths").Do, "a TR of 2 s would fit (tr_seconds is 1)")

	_, err = Run(t.Context(), s.Dataset, Options{Subjects: []string{"eve"}})
	assert.Equal(t, fault.Usage, fault.KindOf(err))
	_, err = Run(t.Context(), s.Dataset, Options{MaxLag: 1})
	assert.Equal(t, fault.Usage, fault.KindOf(err))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Run(ctx, s.Dataset, Options{})
	assert.ErrorIs(t, err, context.Canceled)
}

func TestAlice(t *testing.T) {
	shared := os.Getenv("BWLM_SHARED")
	if shared == "" {
		t.Skip("BWLM_SHARED does not name the folder with the real data")
	}
	onDisk, err := dataset.Open(filepath.Join(shared, "data", "alice"))
	require.NoError(t, err)
	alice := altered(t, onDisk, nil)
	r := examined(t, alice, Options{Detrended: true})
	assert.LessOrEqual(t, math.Abs(*r.Lag), 2.)
	assert.True(t, r.Clear)
	assert.Equal(t, OK, r.Verdict, "%+v", r.Findings)
	assert.Len(t, r.PerSubject, 27)
	later := altered(t, alice, func(s *dataset.Spec) {
		for i := range s.Subjects {
			for k := range s.Subjects[i].Responses {
				moved(t, &s.Subjects[i].Responses[k], 3)
			}
		}
	})
	after := examined(t, later, Options{})
	assert.InDelta(t, 6, *after.Lag-*r.Lag, .5)
	assert.Equal(t, Wrong, found(after, "lag").Verdict)
	assert.Equal(t, Check, found(after, "data").Verdict, "raw scanner units, and nobody says that drift is taken out")
}

// The reference is scipy 1.17.1: gamma.pdf(t, 6) - gamma.pdf(t, 16)/6, t = 0, .1, …, 31.9, over its sum.
func TestCanonicalResponse(t *testing.T) {
	h := hrf()
	for second, want := range map[float64]float64{.1: 9.047146741810122e-09, 2: 0.004330141519630677,
		5: 0.021050083570345768, 12: 8.10432501240039e-05,
		16: -0.0018660957733568028} {
		assert.InDelta(t, want, h[int(math.Round(second*ticksPerSecond))], 1e-12)
	}
	assert.Equal(t, int(hrfPeak*ticksPerSecond), slices.Index(h, slices.Max(h)))
	assert.Equal(t, []float64{0, 1, 5, 6}, convolve([]float64{0, 1, 3, 0}, []float64{1, 2}))
}

func TestPeakOfAParabolaIsExact(t *testing.T) {
	var lags, curve []float64
	for lag := -4.; lag <= 4; lag += .5 {
		lags, curve = append(lags, lag), append(curve, .3-.02*(lag-1.23)*(lag-1.23))
	}
	lag, r, inside := peak(lags, curve)
	assert.InDelta(t, 1.23, lag, 1e-12)
	assert.InDelta(t, .3, r, 1e-12)
	assert.True(t, inside)
	lag, _, inside = peak(lags[:8], curve[:8])
	assert.Equal(t, lags[7], lag)
	assert.False(t, inside)
}

func TestRowsThatAreScannedHearAudioAtEveryLag(t *testing.T) {
	s := &story{clock: design.Clock{First: 1, TR: 2, RowTime: .5}, seconds: 60}
	// row 4 at 10 s, row 24 at 50 s
	assert.Equal(t, design.Rows{From: 4, To: 25}, s.scannedRows(30, []float64{-10, 10}))
	assert.Equal(t, design.Rows{From: 4, To: 10}, s.scannedRows(10, []float64{-10, 10}))
	assert.Equal(t, design.Rows{From: 3, To: 3}, s.scannedRows(3, []float64{-10, 10}))
}
