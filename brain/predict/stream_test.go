package predict

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/extract"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// streamed predicts audio that comes in pieces, whose lengths cut gives. It returns what has arrived when a row left.
func streamed(t *testing.T, p *Predictor, audio []float32, cut func() int) (all *Prediction, arrived []int, err error) {
	t.Helper()
	s, err := p.Stream()
	require.NoError(t, err)
	all = &Prediction{Voxels: p.Voxels()}
	add := func(some *Prediction, at int) {
		all.Rows, all.Times, all.Values = all.Rows+some.Rows, append(all.Times, some.Times...),
			append(all.Values, some.Values...)
		for range some.Rows {
			arrived = append(arrived, at)
		}
	}
	for at := 0; at < len(audio); {
		n := min(cut(), len(audio)-at)
		some, err := s.Write(t.Context(), slices.Clone(audio[at:at+n]))
		require.NoError(t, err)
		at += n
		add(some, at)
		assert.LessOrEqual(t, len(s.rows.samples), n+4*16000, "memory is bounded by the stimulus window")
		assert.Less(t, len(s.rows.windows), 40)
		assert.LessOrEqual(t, len(s.rows.undelayed), 8*16*len(s.rows.layers))
	}
	last, err := s.Finish(t.Context())
	if err == nil {
		add(last, len(audio))
		_, again := s.Write(t.Context(), nil)
		assert.ErrorIs(t, again, errEnded)
	}
	return all, arrived, err
}

// cuts are ways to cut audio.
func cuts() map[string]func() int {
	r := rand.New(rand.NewPCG(5, 6))
	every := func(n int) func() int { return func() int { return n } }
	return map[string]func() int{"all at once": every(math.MaxInt), "1 sample": every(1), "701 samples": every(701),
		"windows": every(1600), "TRs": every(6400), "5 s": every(80_000),
		"random": func() int { return r.IntN(9000) }}
}

func bits(x []float32) []uint32 {
	out := make([]uint32, len(x))
	for i, v := range x {
		out[i] = math.Float32bits(v)
	}
	return out
}

// Rows of a stream have the bits of those of the whole recording, and leave when their stimulus window has arrived.
func TestAStreamIsThePredictionOfTheWhole(t *testing.T) {
	if testing.Short() {
		t.Skip("trainings")
	}
	for name, c := range map[string]struct {
		change  func(*experiment.Experiment)
		latency float64 // in TRs
	}{
		"Lanczos": {func(*experiment.Experiment) {}, 1.5},
		"Lanczos, clipped, times at the start of TRs": {func(e *experiment.Experiment) {
			e.Compat.ClipLanczos, e.Compat.TimesAtTRStarts = true, true
		}, 1},
		"average, one vector a TR": {func(e *experiment.Experiment) {
			e.Model.Downsample, e.Model.StrideSeconds, e.Model.WindowSeconds = "average", .4, .4
		}, 0},
		"average, more windows than a unit has, layer weights": {func(e *experiment.Experiment) {
			e.Model.Downsample, e.Model.StrideSeconds, e.Train.UnitWindows = "average", .05, 3
			e.Readout.LayerWeights = experiment.LayerWeightsVoxel
		}, 0},
		"delays of which the shortest is 2, windows normalised": {func(e *experiment.Experiment) {
			e.Model.Normalise, e.Readout.DelaysSeconds, e.Train.Epochs = "window", []float64{.8, 1.6}, 6
			e.Readout.Mode = experiment.ReadoutRidge
		}, .5},
		"windows longer than all delays": {func(e *experiment.Experiment) {
			e.Model.WindowSeconds, e.Model.StrideSeconds, e.Model.Pooling = 3, .25, "last"
		}, 1.5},
	} {
		t.Run(name, func(t *testing.T) {
			_, run := tinyRun(t, func(e *experiment.Experiment, _ *dataset.Spec) {
				e.Data.Subjects, e.Train.Epochs = []string{"ada"}, 3
				c.change(e)
			})
			p := openTinyPredictor(t, run, Options{TrainingStatistics: true})
			s, err := p.Stream()
			require.NoError(t, err)
			assert.InDelta(t, c.latency*p.TR, s.Latency(), 1e-9)
			sound, _ := studytest.TinySound(99)
			for _, samples := range []int{len(sound), len(sound) - 3000, 40_001, int(p.MinSeconds()*16000) + 1} {
				audio := sound[:samples]
				want, err := p.Predict(t.Context(), audio)
				require.NoError(t, err)
				rows, err := p.rows(samples)
				require.NoError(t, err)
				whole, err := p.whole(t.Context(), audio, rows)
				require.NoError(t, err)
				assert.Equal(t, whole.Times, want.Times)
				studytest.CloseTo(t, whole.Values, want.Values, 1e-5, "the computation of all rows at once")
				for cut, next := range cuts() {
					if cut == "1 sample" && samples > 50_000 {
						continue // the shorter ones show it
					}
					got, arrived, err := streamed(t, p, audio, next)
					require.NoError(t, err)
					assert.Equal(t, want.Times, got.Times, cut)
					assert.Equal(t, bits(want.Values), bits(got.Values), cut)
					if cut != "1 sample" && cut != "701 samples" {
						continue
					}
					for k, at := range arrived {
						due := max(float64(k+1)*p.TR+s.Latency(), p.MinSeconds())
						assert.LessOrEqual(t, float64(at-next())/16000, due, "row %d leaves in time", k)
					}
				}
			}
			_, _, err = streamed(t, p, sound[:int(p.MinSeconds()*16000)-1], func() int { return 999 })
			faulttest.Require(t, fault.BadData, err, "of audio, want at least")
		})
	}
}

// A batcher changes no bit of a stream, though others compute.
func TestAStreamIsAloneInABatch(t *testing.T) {
	_, run := tinyRun(t, func(e *experiment.Experiment, _ *dataset.Spec) { e.Data.Subjects = []string{"ada"} })
	alone := openTinyPredictor(t, run, Options{TrainingStatistics: true})
	audio, _ := studytest.TinySound(3)
	want, err := alone.Predict(t.Context(), audio)
	require.NoError(t, err)
	for _, exact := range []bool{false, true} {
		b := extract.NewBatcher(extract.BatchOptions{Windows: 3, Exact: exact})
		defer b.Close()
		p := openTinyPredictor(t, run, Options{TrainingStatistics: true, Batcher: b})
		ctx, cancel := context.WithCancel(t.Context())
		busy := make(chan struct{})
		go func() {
			defer close(busy)
			for ctx.Err() == nil {
				_, err := p.Predict(ctx, audio[:30_000])
				assert.True(t, err == nil || errors.Is(err, context.Canceled), "%v", err)
			}
		}()
		got, _, err := streamed(t, p, audio, func() int { return 5000 })
		cancel()
		<-busy
		require.NoError(t, err)
		assert.Equal(t, bits(want.Values), bits(got.Values))
	}
}

func TestStreamsSayWhyThereAreNone(t *testing.T) {
	for about, change := range map[string]func(*experiment.Experiment){
		"features are standardised over the whole recording": nil,
		"vectors are read from chunks, which depend on audio that comes later": func(e *experiment.Experiment) {
			e.Model.Extraction = experiment.ExtractChunks
		},
		"samples are normalised over the whole recording": func(e *experiment.Experiment) {
			e.Model.Normalise = experiment.NormaliseStory
		},
	} {
		e := experiment.Default()
		if change != nil {
			change(e)
		}
		_, err := (&Predictor{exp: e, training: change != nil}).Stream()
		faulttest.Require(t, fault.Usage, err, about)
	}
}

// Audio is normalised where auto means that the model is given normalised audio.
func TestPredictionsNormaliseAsTheTrainingDid(t *testing.T) {
	_, run := tinyRun(t, func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Data.Subjects, e.Train.Epochs, e.Model.Normalise = []string{"ada"}, 3, experiment.NormaliseAuto
		require.NoError(t, os.WriteFile(filepath.Join(e.Model.Path, "preprocessor_config.json"),
			[]byte(`{"do_normalize": true}`), 0o600))
	})
	p := openTinyPredictor(t, run, Options{TrainingStatistics: true})
	_, err := p.Stream()
	faulttest.Require(t, fault.Usage, err, "samples are normalised over the whole recording")
	audio, _ := studytest.TinySound(3)
	quiet := slices.Clone(audio)
	for i := range quiet {
		quiet[i] /= 4
	}
	want, err := p.Predict(t.Context(), audio)
	require.NoError(t, err)
	got, err := p.Predict(t.Context(), quiet)
	require.NoError(t, err)
	studytest.CloseTo(t, want.Values, got.Values, 1e-4)
}

// A stream ends with its first error.
func TestAStreamEndsWithAnError(t *testing.T) {
	_, run := tinyRun(t, func(e *experiment.Experiment, _ *dataset.Spec) { e.Data.Subjects = []string{"ada"} })
	p := openTinyPredictor(t, run, Options{TrainingStatistics: true})
	s, err := p.Stream()
	require.NoError(t, err)
	_, err = s.Write(t.Context(), make([]float32, 100))
	require.NoError(t, err)
	_, err = s.Write(t.Context(), []float32{0, float32(math.NaN())})
	faulttest.Require(t, fault.BadData, err, "sample 101 is NaN")
	_, again := s.Finish(t.Context())
	assert.Equal(t, err, again)
	s, err = p.Stream()
	require.NoError(t, err)
	p.Close()
	_, err = s.Write(t.Context(), nil)
	assert.ErrorIs(t, err, fault.ErrClosed)
}
