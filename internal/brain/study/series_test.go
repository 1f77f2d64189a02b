package study_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
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

// The vector of a bin is the last frame of a window that ends with it, and nothing later changes it. Bins after the end
// of a clip have none.
func TestVectorsOfBinsAreCausal(t *testing.T) {
	st, err := studytest.TrySeries(t, nil)
	require.NoError(t, err)
	defer st.Close()
	assert.Equal(t, [3][]design.Rows{{{Story: "events", To: 48}}, {{Story: "events", From: 48, To: 72}},
		{{Story: "events", From: 72, To: 96}}}, st.Subjects[0].Parts, "all rows of a clip are in one split")
	assert.Equal(t, []int{0, 2, 4, 6}, st.Delays)
	assert.Equal(t, 8, st.ResampledRows(), "whole clips are permuted")
	assert.Equal(t, 8, st.RidgeOptions().ChunkRows, "and held out")
	assert.Len(t, st.Clips(st.Subjects[0].Parts[study.Test]), 3)
	stim := st.Stimuli[dataset.EventStory]
	require.Len(t, stim.Windows, 12*5)
	x, err := st.Reader(st.Model).Features(t.Context(), stim, []int{2})
	require.NoError(t, err)
	const clip, bin = 7, 3
	heard, err := stim.Samples.Read(t.Context(), clip*5120, clip*5120+(bin+1)*640)
	require.NoError(t, err)
	h, err := st.Model.HiddenStates(t.Context(), heard, 2)
	require.NoError(t, err)
	last := h[0].Data[(h[0].Rows-1)*16:]
	studytest.CloseTo(t, last, x[0][(clip*5+bin)*16:][:16], 1e-4)

	rows, _ := stim.Design.Undelayed(x[0], 16)
	for k := range 8 {
		assert.Equal(t, k < 5, slicesNonZero(rows[(8+k)*16:][:16]), "bin %d", k)
	}
}

func slicesNonZero(x []float32) bool {
	for _, v := range x {
		if v != 0 {
			return true
		}
	}
	return false
}

// The stimulus window of a row follows from the features: causal ones end with the bin, and those of a pass over the
// clip are the clip.
func TestStimulusWindowsOfBins(t *testing.T) {
	clock := design.Clock{TR: .04, RowTime: 1}
	for extraction, want := range map[experiment.Extraction]design.Interval{
		experiment.ExtractWindows: {From: .32, To: .44}, experiment.ExtractClip: {From: .32, To: .64}} {
		st, err := studytest.TrySeries(t, func(e *experiment.Experiment, _ *dataset.Spec) {
			e.Model.Extraction = extraction
		})
		require.NoError(t, err)
		defer st.Close()
		got := st.StimulusWindow().Row(clock, 10) // bin 2 of clip 1
		assert.InDelta(t, want.From, got.From, 1e-9, extraction)
		assert.InDelta(t, want.To, got.To, 1e-9, extraction)
		notes := strings.Join(st.Notes, "\n")
		assert.Equal(t, extraction == experiment.ExtractClip, strings.Contains(notes, "features are ACAUSAL"), notes)
		stim := st.Stimuli[dataset.EventStory]
		x, err := st.Reader(st.Model).Features(t.Context(), stim, []int{2})
		require.NoError(t, err)
		assert.Len(t, x[0], 12*5*16)
		if extraction == experiment.ExtractClip {
			require.Len(t, stim.Clips, 12)
			assert.Equal(t, 3200, stim.Clips[4].Samples(), "the clip and no silence after it")
		}
	}
}

// A pass hears all of a clip, its last audio included, and each frame of it is in the bin that holds its middle.
func TestBinsOfAPassShareTheFrames(t *testing.T) {
	st, err := studytest.TrySeries(t, func(e *experiment.Experiment, s *dataset.Spec) {
		e.Model.Extraction = experiment.ExtractClip
		long, err := s.Events[3].Audio.Load(t.Context())
		require.NoError(t, err)
		s.Events[3].Audio = dataset.Value(append(long, long[:500]...)) // ends within bin 5
	})
	require.NoError(t, err)
	defer st.Close()
	stim := st.Stimuli[dataset.EventStory]
	at := slices.IndexFunc(st.Data.Events(), func(e dataset.Event) bool { return e.Name == "clip-03" })
	assert.Equal(t, 3700, stim.Clips[at].Samples())
	assert.Equal(t, 5, stim.Clips[at].Windows.Len(), "a bin that ends after the clip has no vector")
	x, err := st.Reader(st.Model).Features(t.Context(), stim, []int{2})
	require.NoError(t, err)
	heard, err := stim.Samples.Read(t.Context(), at*5120, at*5120+3700)
	require.NoError(t, err)
	h, err := st.Model.HiddenStates(t.Context(), heard, 2)
	require.NoError(t, err)
	for bin := range 5 { // of 640 samples, frames of 320 whose middles are at 200, 520, ...
		want := make([]float32, 16)
		for i := range want {
			want[i] = (h[0].Row(2 * bin)[i] + h[0].Row(2*bin + 1)[i]) / 2
		}
		studytest.CloseTo(t, want, x[0][(at*5+bin)*16:][:16], 1e-4)
	}
}

// What a study of bins refuses, one line each.
func TestSeriesAreRefused(t *testing.T) {
	given := func(e *experiment.Experiment, keys ...string) {
		for _, key := range keys {
			require.NoError(t, e.Set(key))
		}
	}
	for name, x := range map[string]struct {
		change func(*experiment.Experiment, *dataset.Spec)
		want   string
	}{
		"lags between bins": {func(e *experiment.Experiment, _ *dataset.Spec) {
			e.Readout.LagsMS = []float64{0, 50}
		}, "readout.lags_ms: 50 ms is no multiple of bins of 40 ms"},
		"lags after the responses": {func(e *experiment.Experiment, _ *dataset.Spec) {
			e.Readout.LagsMS = []float64{320}
		}, "readout.lags_ms: no row has features at lags of [320] ms"},
		"a window that no row covers": {func(e *experiment.Experiment, _ *dataset.Spec) {
			e.Readout.LagWindows = []string{"early=0:80", "late=320:400"}
		}, "readout.lag_windows: no row has features in window late"},
		"a window between bins": {func(e *experiment.Experiment, _ *dataset.Spec) {
			e.Readout.LagWindows = []string{"x=10:30"}
		}, "window x has no multiple of bins of 40 ms"},
		"other channels": {func(_ *experiment.Experiment, s *dataset.Spec) {
			s.Channels = []string{"a", "b"}
		}, "ada: 3 channels, channels names 2"},
		"chunks": {func(e *experiment.Experiment, _ *dataset.Spec) {
			e.Model.Extraction = experiment.ExtractChunks
		}, "model.extraction: has no part in the design series"},
		"passes over more than a clip": {func(e *experiment.Experiment, _ *dataset.Spec) {
			given(e, "model.extraction=clip", "model.chunk_seconds=3")
		}, "model.chunk_seconds: has no part in the design series"},
		"windows of a pass": {func(e *experiment.Experiment, _ *dataset.Spec) {
			given(e, "model.extraction=clip", "model.window_seconds=2")
		}, "model.window_seconds: has no part in the design series"},
		"one frame of a pass": {func(e *experiment.Experiment, _ *dataset.Spec) {
			given(e, "model.extraction=clip", "model.pooling=first")
		}, "model.pooling: has no part in the design series"},
		"folds that part the rows of a clip": {func(e *experiment.Experiment, _ *dataset.Spec) {
			given(e, "eval.chunk_rows=12")
		}, "eval.chunk_rows: 12 rows are not whole clips of 8"},
		"drift of clips": {func(e *experiment.Experiment, _ *dataset.Spec) {
			e.Data.Detrend = "legendre:1"
		}, "data.detrend: has no part in the design series"},
		"the same sound in two splits": {func(_ *experiment.Experiment, s *dataset.Spec) {
			s.Events[11].Audio = s.Events[0].Audio
		}, "test clip-11"},
	} {
		t.Run(name, func(t *testing.T) {
			st, err := studytest.TrySeries(t, x.change)
			if err == nil {
				st.Close()
			}
			require.ErrorContains(t, err, x.want)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
	_, err := tinyClips(t, func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Model.Extraction = experiment.ExtractClip
	})
	require.ErrorContains(t, err, "clip is for the design series")

	st, err := studytest.TrySeries(t, func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Readout.LagsMS = []float64{0, 280} // the last bin of the responses hears the first of the clip
	})
	require.NoError(t, err)
	defer st.Close()
	_, err = st.Begin(t.Context())
	require.ErrorContains(t, err, "models are not tuned on data sets of the design series")
	assert.Equal(t, fault.Usage, fault.KindOf(err))
}

// Responses to stories have rows of their own, and splits by rows of a story.
func TestSeriesOfAStory(t *testing.T) {
	open := func(windows ...string) (*study.Study, error) {
		return studytest.TrySeries(t, func(e *experiment.Experiment, s *dataset.Spec) { aTale(e, s, windows) })
	}
	st, err := open()
	require.NoError(t, err)
	defer st.Close()
	stim := st.Stimuli["tale"]
	assert.Equal(t, 62, stim.Rows)
	assert.Len(t, stim.Windows, 62)
	assert.Equal(t, "1.76 to 2.48 s", fmt.Sprintf("%.2f to %.2f s", st.Audit.Rows[2].Window.From,
		st.Audit.Rows[2].Window.To))
	assert.Contains(t, strings.Join(st.Notes, "\n"), "eval.chunk_rows: 40 bins last 1.6 s")

	_, err = open("late=320:400") // 160 ms earlier than the longest of lags_ms, into the rows of validation
	require.ErrorContains(t, err, "val tale[34:42] and test tale[54:62] depend on the same 0.1 s of tale")
}

// aTale makes the study one of a story.
func aTale(e *experiment.Experiment, s *dataset.Spec, windows []string) {
	e.Readout.LagWindows = windows
	r := rand.New(rand.NewPCG(7, 1))
	noise := func(n int) (x []float32) {
		for range n {
			x = append(x, float32(.1*r.NormFloat64()))
		}
		return x
	}
	m := &dataset.Matrix{Repeats: 1, Rows: 250, Voxels: 2, Data: noise(500)}
	s.Events, s.Series.Clip = nil, 0
	s.Stories = []dataset.Story{{Name: "tale", Audio: dataset.Value(noise(40000))}}
	s.Subjects[0].Responses = []dataset.Response{{Story: "tale", Matrix: dataset.Value(m)}}
	e.Model.WindowSeconds, e.Model.StrideSeconds = .2, .04
	e.Data.Train, e.Data.Val, e.Data.Test = []string{"tale[0:20]"}, []string{"tale[34:42]"}, []string{"tale[54:62]"}
}
