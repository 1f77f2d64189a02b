package study_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
)

// tinyClips makes a study of 24 clips of noise from .3 to .4 s, four of each of six categories, and the tiny model.
// Change (may be nil) alters the experiment and the clips.
func tinyClips(t *testing.T, change func(*experiment.Experiment, *dataset.Spec)) (*study.Study, error) {
	t.Helper()
	return studytest.TryTiny(t, study.Options{}, func(e *experiment.Experiment, s *dataset.Spec) {
		fresh := experiment.Default()
		fresh.Model.Path, fresh.Model.Layer, fresh.Data.Path, fresh.Out = e.Model.Path, 2, e.Data.Path, e.Out
		fresh.Device, fresh.Data.Subjects = e.Device, []string{"ada"}
		fresh.Data.Train, fresh.Data.Val = []string{"fold!=2&fold!=3"}, []string{"fold=2"}
		fresh.Data.Test = []string{"fold=3"}
		*e = *fresh
		m := &dataset.Matrix{Repeats: 1, Rows: 24, Voxels: 5}
		*s = dataset.Spec{Name: "clips", Design: dataset.DesignEvent, TR: .4}
		for k := range 24 {
			r := rand.New(rand.NewPCG(uint64(k), 1))
			sound := make([]float32, 4800+100*(k%17))
			for i := range sound {
				sound[i] = float32(.1 * r.NormFloat64())
			}
			for range m.Voxels {
				m.Data = append(m.Data, float32(r.NormFloat64()))
			}
			s.Events = append(s.Events, dataset.Event{Name: fmt.Sprintf("clip-%02d", k), Audio: dataset.Value(sound),
				Labels: map[string]string{"category": fmt.Sprint("c", k%6), "fold": fmt.Sprint(k / 6),
					"group": []string{"low", "high"}[k%2]}})
		}
		s.Subjects = []dataset.Subject{{Name: "ada", Responses: []dataset.Response{{Matrix: dataset.Value(m)}}}}
		if change != nil {
			change(e, s)
		}
	})
}

// Clips of a split stand together, each with its own sound and response.
func TestClipsAreArrangedBySplit(t *testing.T) {
	var spec dataset.Spec
	st, err := tinyClips(t, func(_ *experiment.Experiment, s *dataset.Spec) { spec = *s })
	require.NoError(t, err)
	defer st.Close()
	p, stim := st.Subjects[0], st.Stimuli[dataset.EventStory]
	assert.Equal(t, [3][]design.Rows{{{Story: "events", To: 12}}, {{Story: "events", From: 12, To: 18}},
		{{Story: "events", From: 18, To: 24}}}, p.Parts)
	values, err := spec.Subjects[0].Responses[0].Matrix.Load(t.Context())
	require.NoError(t, err)
	z := p.Responses.ZScore(dataset.EventStory)
	rows, err := p.Read(t.Context(), nil, design.Rows{Story: "events", To: 24})
	require.NoError(t, err)
	names := st.Clips([]design.Rows{{Story: "events", To: 24}})
	for k, name := range names {
		var at int
		_, err := fmt.Sscanf(name, "clip-%d", &at)
		require.NoError(t, err)
		sound, err := spec.Events[at].Audio.Load(t.Context())
		require.NoError(t, err)
		w := stim.Windows[k]
		heard, err := stim.Samples.Read(t.Context(), w.Start, w.End)
		require.NoError(t, err)
		assert.Equal(t, sound, heard, name)
		for v := range 5 {
			assert.Equal(t, z.Value(v, values.Data[at*5+v]), rows[k*5+v], name)
		}
		assert.Equal(t, k < 12, at/6 < 2, name)
	}
	assert.NotEqual(t, "clip-00", names[0], "within a split the order has nothing to do with that of the table")
	mean, sd := studytest.Moments(rows, 5, 0, design.Rows{To: 12})
	assert.InDelta(t, 0, mean, 1e-6, "standardised by the training clips")
	assert.InDelta(t, 1, sd, 1e-6)
}

func TestSplitsOfClips(t *testing.T) {
	for name, x := range map[string]struct {
		train, val, test []string
		rows             [3]int
	}{
		"by clip": {[]string{"clip-0*"}, []string{"clip-10", "clip-11"}, []string{"clip-2*"}, [3]int{10, 2, 4}},
		"by category": {[]string{"category!=c4&category!=c5"}, []string{"category=c4"}, []string{"category=c5"},
			[3]int{16, 4, 4}},
		"by group": {[]string{"group=low&fold!=0"}, []string{"group=low&fold=0"}, []string{"group=high"},
			[3]int{9, 3, 12}},
	} {
		t.Run(name, func(t *testing.T) {
			st, err := tinyClips(t, func(e *experiment.Experiment, _ *dataset.Spec) {
				e.Data.Train, e.Data.Val, e.Data.Test = x.train, x.val, x.test
			})
			require.NoError(t, err)
			defer st.Close()
			for i, split := range study.Splits {
				assert.Equal(t, x.rows[i], st.Subjects[0].RowsOf(split))
				assert.Len(t, st.Subjects[0].Parts[split], 1, "one range of rows")
			}
		})
	}
}

// What a study of clips refuses, one line each.
func TestClipsAreRefused(t *testing.T) {
	sameSound := func(a, b int) func(*experiment.Experiment, *dataset.Spec) {
		return func(_ *experiment.Experiment, s *dataset.Spec) { s.Events[a].Audio = s.Events[b].Audio }
	}
	for name, x := range map[string]struct {
		change func(*experiment.Experiment, *dataset.Spec)
		kind   fault.Kind
		want   []string
	}{
		"the same recording in training and test": {sameSound(3, 20), fault.BadData,
			[]string{"train clip-03", "test clip-20", "sound the same", "put both clips in one split"}},
		"the same recording in validation and test": {sameSound(13, 20), fault.BadData, []string{"val clip-13"}},
		"a clip in two splits": {func(e *experiment.Experiment, _ *dataset.Spec) {
			e.Data.Test = []string{"fold=3", "clip-00"}
		}, fault.BadData, []string{"leak audit", "of events"}},
		"no audio": {func(_ *experiment.Experiment, s *dataset.Spec) {
			s.Events[4].Audio = dataset.Input[[]float32]{}
		}, fault.BadData, []string{"clip clip-04 has no audio"}},
		"a long clip": {func(_ *experiment.Experiment, s *dataset.Spec) {
			s.Events[4].Audio = dataset.Value(make([]float32, 8000))
		}, fault.BadData, []string{"clip clip-04 lasts 0.5 s, clip_seconds is 0.4"}},
		"NaN": {func(_ *experiment.Experiment, s *dataset.Spec) {
			m, _ := s.Subjects[0].Responses[0].Matrix.Load(t.Context())
			m.Data[7*5+2] = float32(math.NaN())
		}, fault.BadData, []string{"clip clip-07, channel 2 is NaN"}},
		"too few rows": {func(_ *experiment.Experiment, s *dataset.Spec) {
			s.Events = append(s.Events, dataset.Event{Name: "more", Audio: s.Events[0].Audio,
				Labels: s.Events[0].Labels})
		}, fault.BadData, []string{"24 rows, there are 25 clips"}},
		"a label that is none": {func(e *experiment.Experiment, _ *dataset.Spec) {
			e.Data.Test = []string{"category=c9"}
		}, fault.Usage, []string{`there is no label "category=c9"`}},
		"a column that is none": {func(e *experiment.Experiment, _ *dataset.Spec) {
			e.Data.Test = []string{"catgory=c1"}
		}, fault.Usage, []string{`there is no column "catgory"; did you mean "category"?`}},
		"chunks": {func(e *experiment.Experiment, _ *dataset.Spec) {
			e.Model.Extraction = experiment.ExtractChunks
		}, fault.Usage, []string{"model.extraction", "has no part in the design event"}},
		"a window after the end": {func(e *experiment.Experiment, _ *dataset.Spec) {
			e.Model.ClipWindow = []float64{.5, 1}
		}, fault.Usage, []string{"from 0.5 s on there is nothing of clips of at most 0.4 s"}},
	} {
		t.Run(name, func(t *testing.T) {
			st, err := tinyClips(t, x.change)
			if err == nil {
				st.Close()
			}
			require.Error(t, err)
			assert.Equal(t, x.kind, fault.KindOf(err), err)
			for _, want := range x.want {
				assert.ErrorContains(t, err, want)
			}
			assert.NotContains(t, err.Error(), "\n")
		})
	}
	st, err := tinyClips(t, func(e *experiment.Experiment, s *dataset.Spec) {
		s.Events[3].Audio = s.Events[20].Audio
		e.Data.AllowShared = []string{"clip-03:clip-20"}
	})
	require.NoError(t, err)
	defer st.Close()
	assert.Contains(t, strings.Join(st.Notes, "\n"), "SHARED AUDIO, allowed by data.allow_shared: train clip-03")
	same, err := tinyClips(t, sameSound(3, 4))
	require.NoError(t, err, "within a split it is no leak")
	same.Close()
}

// A window in the clips is all that features depend on.
func TestOnlyTheClipWindowIsRead(t *testing.T) {
	st, err := tinyClips(t, func(e *experiment.Experiment, s *dataset.Spec) {
		e.Model.ClipWindow = []float64{.1, .25}
	})
	require.NoError(t, err)
	defer st.Close()
	stim := st.Stimuli[dataset.EventStory]
	read := func() []float32 {
		heard, err := stim.Samples.Read(t.Context(), stim.Windows[5].Start, stim.Windows[5].End)
		require.NoError(t, err)
		x, err := st.Model.HiddenStates(t.Context(), heard, 2)
		require.NoError(t, err)
		mean := make([]float32, x[0].Cols)
		for i, v := range x[0].Data {
			mean[i%x[0].Cols] += v / float32(x[0].Rows)
		}
		return mean
	}
	assert.Equal(t, int(.15*16000), stim.Windows[5].End-stim.Windows[5].Start)
	x, err := st.Reader(st.Model).Features(t.Context(), stim, []int{2})
	require.NoError(t, err)
	studytest.CloseTo(t, read(), x[0][5*16:6*16], 1e-5)
}
