package windows_test

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/extract"
	"github.com/brainwavlm/bwlm/brain/predict"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/planning"
	"github.com/brainwavlm/bwlm/internal/brain/sections"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/wavlm"
)

// Every window has one owner: the first clip that holds it whole. Clips begin a clip less a window
// apart, and the last ends with the audio.
func TestChunkClips(t *testing.T) {
	for _, c := range []struct{ seconds, window, stride, block float64 }{
		{100, 4, .25, 32}, {100.1, 4, .25, 32}, {31, 4, .25, 32}, {60, 4, .25, 32}, {60.01, 4, .25, 32},
		{3, 4, .25, 32}, {97, 1, 1, 2}, {50, .2, .13, 1.7},
	} {
		samples := windows.SamplesOf(c.seconds)
		cuts := design.Windows(samples, 16000, c.window, c.stride)
		clips := windows.ChunkClips(cuts, samples, windows.SamplesOf(c.block), windows.SamplesOf(c.window))
		at := 0
		for k, clip := range clips {
			assert.Equal(t, k*(windows.SamplesOf(c.block)-windows.SamplesOf(c.window)), clip.Start)
			assert.LessOrEqual(t, clip.Samples(), windows.SamplesOf(c.block))
			assert.Equal(t, at, clip.Windows.From)
			assert.Greater(t, clip.Windows.To, at, "no clip for nothing")
			for _, w := range cuts[at:clip.Windows.To] {
				for j, other := range clips[:k+1] {
					whole := other.Start <= w.Start && w.End <= other.End
					assert.Equal(t, j == k, whole, "%+v: window %+v, clip %d of %d", c, w, j, k)
				}
			}
			at = clip.Windows.To
			if k < len(clips)-1 {
				assert.Equal(t, windows.SamplesOf(c.block), clip.Samples())
			}
		}
		assert.Len(t, cuts, at)
		last := clips[len(clips)-1]
		assert.Equal(t, min(last.Start+windows.SamplesOf(c.block), samples), last.End)
	}
}

// A window's vector is made of those frames of its clip that see nothing outside the window: the
// last, the first, or the mean of all. The clip goes through the model as one.
func TestVectorsOfChunks(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	for _, pooling := range []experiment.Pooling{"first", "last", "mean", "index:1", "index:-2"} {
		for _, normalise := range []experiment.Normalise{"none", "window"} {
			st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
				e.Model.Pooling, e.Model.Normalise, e.Model.WindowSeconds, e.Model.StrideSeconds = pooling, normalise,
					.5, .15
				e.Model.Extraction, e.Model.ChunkSeconds = "chunks", 3.3
			})
			stim := st.Stimuli["one"]
			r := st.Reader(st.Model)
			got, err := r.Features(t.Context(), stim, []int{2, 0})
			require.NoError(t, err)
			raw, err := st.Data.Audio(t.Context(), "one")
			require.NoError(t, err)
			for _, c := range stim.Clips {
				wave := raw[c.Start:c.End]
				if normalise == "window" {
					wave = speech.Normalise(wave)
				}
				hidden, err := st.Model.HiddenStates(t.Context(), wave, 2, 0)
				require.NoError(t, err)
				for i := c.Windows.From; i < c.Windows.To; i++ {
					var inside []int
					for f := range hidden[0].Rows { // a frame sees 400 samples, from 320 times its number
						if c.Start+320*f >= stim.Windows[i].Start && c.Start+320*f+400 <= stim.Windows[i].End {
							inside = append(inside, f)
						}
					}
					require.NotEmpty(t, inside)
					switch pooling {
					case "first":
						inside = inside[:1]
					case "last":
						inside = inside[len(inside)-1:]
					case "index:1":
						inside = inside[min(1, len(inside)-1):][:1]
					case "index:-2":
						inside = inside[max(len(inside)-2, 0):][:1]
					}
					for k := range hidden {
						for e := range 16 {
							want := 0.
							for _, f := range inside {
								want += float64(hidden[k].Row(f)[e]) / float64(len(inside))
							}
							assert.InDelta(t, want, got[k][i*16+e], 2e-5, "%s, window %d", pooling, i)
						}
					}
				}
			}
		}
	}
}

// Windows too short for a frame of their own on the clip's grid have the one that ends with them.
func TestEveryWindowHasAFrame(t *testing.T) {
	c, cfg := windows.Clip{Start: 0, End: 16000}, wavlm.Default(wavlm.WavLM).Geometry()
	assert.Equal(t, design.Rows{From: 0, To: 1}, c.FramesIn(design.Window{Start: 100, End: 500}, cfg))
	assert.Equal(t, design.Rows{From: 1, To: 2}, c.FramesIn(design.Window{Start: 320, End: 720}, cfg))
	assert.Equal(t, design.Rows{From: 1, To: 3}, c.FramesIn(design.Window{Start: 319, End: 1040}, cfg))
}

// The stimulus window of a row in the audit is the one that its features have: the clips of all
// windows of its features.
func TestStimulusWindowOfChunks(t *testing.T) {
	for _, downsample := range []experiment.Downsample{"lanczos", "average"} {
		st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
			e.Model.Extraction, e.Model.ChunkSeconds, e.Model.Downsample = "chunks", 2, downsample
		})
		stim, window := st.Stimuli["one"], st.StimulusWindow()
		clock, err := st.Data.Clock("one")
		require.NoError(t, err)
		back, ahead := 0., 0.
		for k := range stim.Rows {
			heard := design.Interval{From: math.Inf(1), To: math.Inf(-1)}
			for _, delay := range st.Delays {
				if k < delay {
					continue
				}
				_, from, to := sections.Dense(stim.Design.Weights, k-delay, k-delay+1)
				for _, run := range stim.Units(from, to, 1) {
					c := stim.Clips[run.Clips.From]
					heard.From, heard.To = min(heard.From, float64(c.Start)/16000), max(heard.To, float64(c.End)/16000)
				}
			}
			row := window.Row(clock, k)
			assert.GreaterOrEqual(t, heard.From, row.From-1e-9, "row %d", k)
			assert.LessOrEqual(t, heard.To, row.To+1e-9, "row %d", k)
			back, ahead = max(back, clock.Time(k)-heard.From), max(ahead, heard.To-clock.Time(k))
		}
		assert.InDelta(t, window.Before, back, .4, "and no more than it need be: a window, a stride")
		assert.InDelta(t, window.After, ahead, .4)
	}
}

// Training, evaluation, resuming, transfer, prediction and plan in extraction by chunks.
func TestChunksThroughout(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	block := func(e *experiment.Experiment) { e.Model.Extraction, e.Model.ChunkSeconds = "chunks", 1.5 }
	dir := t.TempDir()
	require.NoError(t, studytest.TinyModel(t.Context(), filepath.Join(dir, "model")))
	unbroken, broken := studytest.Resumed(dir, filepath.Join(dir, "whole")),
		studytest.Resumed(dir, filepath.Join(dir, "broken"))
	block(unbroken)
	block(broken)
	require.NoError(t, studytest.TrainOnce(t.Context(), unbroken, study.Options{}))
	ctx, watch := studytest.StopAt(t.Context(), "tune", 4)
	require.ErrorIs(t, studytest.TrainOnce(ctx, broken, study.Options{Progress: watch}), studytest.ErrStop)
	require.NoError(t, studytest.TrainOnce(t.Context(), broken, study.Options{}))
	studytest.Same(t, studytest.Outcome(t, unbroken.Out), broken.Out)

	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, s *dataset.Spec) { block(e) })
	plan, err := planning.Estimate(t.Context(), st)
	require.NoError(t, err)
	require.Len(t, plan.Ways, 2)
	assert.Equal(t, [2]string{"chunks", "windows"}, [2]string{plan.Ways[0].Extraction, plan.Ways[1].Extraction})
	r := *plan.Ways[1].FeatureR
	assert.True(t, r > .2 && r < .9999, "near, and not the same: %v", r)
	run, _ := studytest.MustFit(t, st)
	s, err := evaluate.EvaluateRun(t.Context(), st, run)
	require.NoError(t, err)
	assert.Greater(t, s.Test.Tuned.MeanR, .3, "it predicts")
	p, err := predict.Open(t.Context(), run.Dir, predict.Options{Device: torchtest.Device()})
	require.NoError(t, err)
	defer p.Close()
	wave, err := st.Data.Audio(t.Context(), "test")
	require.NoError(t, err)
	_, err = p.Predict(t.Context(), wave)
	require.NoError(t, err)
}

// What Features reads of audio is what a study reads of a story.
func TestFeaturesInChunks(t *testing.T) {
	st := studytest.Tiny(t, study.Options{}, func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Model.Extraction, e.Model.ChunkSeconds, e.Model.Normalise = "chunks", 1.5, "none"
	})
	stim := st.Stimuli["one"]
	want, err := st.Reader(st.Model).Features(t.Context(), stim, []int{1, 2})
	require.NoError(t, err)
	opt := extract.Options{Layers: []int{1, 2}, WindowSeconds: .2, StrideSeconds: .1, Extraction: "chunks",
		ChunkSeconds: 1.5, Pooling: "mean", Normalise: "none"}
	samples, err := stim.Samples.Read(t.Context(), 0, stim.Samples.Len())
	require.NoError(t, err)
	got, err := extract.Features(t.Context(), st.Model, samples, opt)
	require.NoError(t, err)
	for i := range want {
		studytest.CloseTo(t, want[i], got.Vectors[i].Data, 1e-6)
	}
	_, err = extract.Features(t.Context(), st.Model, samples, extract.Options{Extraction: "blocks"})
	assert.EqualError(t, err, `read features: extraction: "blocks", want windows or chunks`)
	opt.ChunkSeconds = .39
	_, err = extract.Features(t.Context(), st.Model, samples, opt)
	assert.EqualError(t, err, "read features: chunk: 0.39 s, want at least two windows of 0.2 s and at most 3600 s")
	assert.Equal(t, fault.Usage, fault.KindOf(err))
	opt.ChunkSeconds = .4
	_, err = extract.Features(t.Context(), st.Model, samples, opt)
	assert.NoError(t, err, "chunks of exactly two windows")
}

// A clip as long as the audio, with one window as long: the same as mode windows.
func TestAChunkOfOneWindowIsTheWindow(t *testing.T) {
	m, sound := studytest.GoldenModel(t, ""), studytest.GoldenClip(t)
	spec, err := extract.Options{WindowSeconds: .2, StrideSeconds: .2, Extraction: "chunks",
		ChunkSeconds: .5}.Model(m.Model)
	require.NoError(t, err)
	stim := &windows.Stimulus{Name: "story", Samples: windows.InMemory(sound[:6400]),
		Windows: []design.Window{{Start: 0, End: 3200}, {Start: 3200, End: 6400}}}
	read := func() (out []float32) {
		r := windows.ClipReader(m.Model, spec, 0)
		require.NoError(t, m.Model.Session().Infer(t.Context(), func(s *torch.Scope) error {
			for _, run := range r.Units(stim, 0, 2) {
				out = append(out, r.Vectors(s, stim, run, []int{2})[0].Float32s()...)
			}
			return nil
		}))
		return out
	}
	stim.Own(experiment.Model{})
	exact := read()
	stim.Shared = true // each window still a clip
	studytest.CloseTo(t, exact, read(), 1e-6)
}
