//go:build slow

package predict

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	"github.com/brainwavlm/bwlm/internal/sim"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/speech/pretrained"
)

// tally compares predictions of the rows of clips with responses, clip after clip.
type tally struct {
	pred, want []float32
	in         float64 // values within 90 % intervals
}

// add predicts the rows from ≤ k < to of a story from the sound of these rows alone. Rows without their history are
// left out.
func (y *tally) add(t *testing.T, p *Predictor, sound, want []float32, from, to int) {
	t.Helper()
	sample := func(row int) int { return min(int(float64(row)*p.TR*speech.SampleRate), len(sound)) }
	got, err := p.Predict(t.Context(), sound[sample(from):sample(to)])
	require.NoError(t, err)
	lower, upper, err := p.Interval(got, .9)
	require.NoError(t, err)
	first, voxels := slices.Max(p.Delays), got.Voxels
	y.pred = append(y.pred, got.Values[first*voxels:]...)
	own := want[(from+first)*voxels : (from+got.Rows)*voxels]
	y.want = append(y.want, own...)
	y.in += covered(lower[first*voxels:], upper[first*voxels:], own) * float64(len(own))
}

// r is the mean of r over some voxels.
func (y *tally) r(voxels []int, all int) float64 {
	r, constant := stats.Correlation(y.pred, y.want, len(y.pred)/all, all)
	mean, _ := stats.Mean(r, constant, voxels)
	return mean
}

func (y *tally) covers() float64 { return y.in / float64(len(y.want)) }

// A simulated study with the truth planted: how often intervals cover unseen stories of unseen voices, and what short
// clips lose by being standardised by themselves.
func TestReliabilityOnSimulatedStudies(t *testing.T) {
	for _, seed := range []uint64{1} {
		world, err := sim.New(sim.Options{Seed: seed, TuneStories: 12, ValStories: 10, TestStories: 6, TestRepeats: 1})
		require.NoError(t, err)
		dir := t.TempDir()
		require.NoError(t, sim.WriteNano(filepath.Join(dir, "model")))
		e := experiment.Default()
		e.Model.Path, e.Model.Layer = filepath.Join(dir, "model"), 3
		e.Model.WindowSeconds, e.Model.StrideSeconds = sim.TR, sim.TR
		e.Model.Pooling, e.Model.Normalise = experiment.PoolMean, experiment.NormaliseStory
		e.Model.Downsample = experiment.DownsampleAverage
		e.Adapter.R, e.Adapter.Alpha, e.Readout.Bottleneck = 8, 16, 64
		e.Data.Path, e.Data.Subjects, e.Data.Trim = "simulated", []string{sim.Listener}, [2]int{}
		e.Data.Train, e.Data.Val, e.Data.Test = world.TuneStories, world.ValStories, world.TestStories
		e.Train.Loss, e.Train.Epochs, e.Train.BlockRows = experiment.LossSpatial, 3, world.Options.Rows
		e.Train.LR, e.Train.ReadoutLR, e.Eval.ChunkRows, e.Eval.Boots = 2e-3, 2e-3, world.Options.Rows, 4
		e.Device, e.Out = torchtest.Name(), filepath.Join(dir, "run")
		e.MarkSet()
		model, err := pretrained.Open(t.Context(), e.Model.Path, speech.Options{Device: torchtest.Device()})
		require.NoError(t, err)
		st, err := study.New(t.Context(), e, world.Dataset, model, study.Options{})
		require.NoError(t, err)
		run, err := st.Begin(t.Context())
		require.NoError(t, err)
		_, err = tune.Fit(t.Context(), st, run)
		require.NoError(t, err)
		listener, truth := st.Subjects[0], world.Subject(sim.Listener)
		require.Len(t, listener.Tuned, len(truth.ROI))
		t.Logf("seed %d; r by region, and coverage of 90 %% intervals", seed)
		for _, rows := range []int{10, 15, 30, 60} {
			for _, training := range []bool{false, true} {
				p := openTinyPredictor(t, run.Dir, Options{TrainingStatistics: training})
				y := tally{}
				for _, part := range listener.Parts[study.Test] {
					sound, err := world.Dataset.Audio(t.Context(), part.Story)
					require.NoError(t, err)
					want, err := listener.Read(t.Context(), nil, part)
					require.NoError(t, err)
					for from := 0; from+rows <= part.To; from += rows {
						y.add(t, p, sound, want, from, from+rows)
					}
				}
				t.Logf("%3d s, training statistics %-5v: auditory %.3f, semantic %.3f, covers %.1f %%", rows*sim.TR,
					training, y.r(truth.Columns(sim.Auditory), len(truth.ROI)),
					y.r(truth.Columns(sim.Semantic), len(truth.ROI)), 100*y.covers())
				if rows == 60 || training {
					assert.InDelta(t, .9, y.covers(), .02)
				}
			}
		}
		run.Close()
		st.Close()
		model.Close()
	}
}

// Real responses: 27 subjects who heard a chapter of Alice in Wonderland, with more validation rows than in
// examples/alice, since 30 rows are too few blocks for an interval.
func TestReliabilityOnAlice(t *testing.T) {
	shared := os.Getenv("BWLM_SHARED")
	if shared == "" {
		t.Skip("BWLM_SHARED does not name the folder with the real data")
	}
	exp, err := experiment.Load(filepath.Join("..", "..", "examples", "alice", "people.yaml"),
		"data.path="+filepath.Join(shared, "data", "alice"), "device=cpu", "out="+filepath.Join(t.TempDir(), "run"),
		"data.train=alice[10:120]", "data.val=alice[130:240]", "train.epochs=4")
	require.NoError(t, err)
	st, err := study.Open(t.Context(), exp, study.Options{})
	require.NoError(t, err)
	defer st.Close()
	run, err := st.Begin(t.Context())
	require.NoError(t, err)
	defer run.Close()
	_, err = tune.Fit(t.Context(), st, run)
	require.NoError(t, err)
	sound, err := st.Data.Audio(t.Context(), "alice")
	require.NoError(t, err)
	levels := []float64{.5, .8, .9}
	for _, training := range []bool{false, true} {
		in, of := make([]float64, len(levels)), make([]float64, len(levels))
		for _, subject := range st.Subjects {
			p := openTinyPredictor(t, run.Dir, Options{Subject: subject.Name, TrainingStatistics: training})
			got, err := p.Predict(t.Context(), sound)
			require.NoError(t, err)
			part := subject.Parts[study.Test][0]
			want, err := subject.Read(t.Context(), subject.Tuned, part)
			require.NoError(t, err)
			from, to := part.From*got.Voxels, part.To*got.Voxels
			for l, level := range levels {
				lower, upper, err := p.Interval(got, level)
				require.NoError(t, err)
				if lower[from] == lower[from] {
					in[l], of[l] = in[l]+covered(lower[from:to], upper[from:to], want), of[l]+1
				}
			}
			p.Close()
		}
		for l, level := range levels {
			t.Logf("training statistics %-5v: %.0f %% intervals cover %.1f %% of the test rows; %g subjects have them",
				training, 100*level, 100*in[l]/of[l], of[l])
			assert.InDelta(t, level, in[l]/of[l], .15, "a sign of a mistake, not of calibration")
		}
	}
}
