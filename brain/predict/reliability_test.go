package predict

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/calibration"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/npy"
)

// longStory is sound and planted responses of ada's voxels, in a number of rows.
func longStory(rows int, seed uint64) (sound []float32, answer *dataset.Matrix) {
	var bands [][2]float64
	for len(bands) < rows {
		x, b := studytest.TinySound(seed + uint64(len(bands)))
		sound, bands = append(sound, x...), append(bands, b...)
	}
	return sound, dataset.NewMatrix(len(bands), 60, studytest.TinyAnswer(bands, 60, 0, seed))
}

// longRun tunes ada with validation and test stories of a number of rows.
func longRun(t *testing.T, rows int) (st *study.Study, run string, test []float32) {
	t.Helper()
	st, run = tinyRun(t, func(e *experiment.Experiment, spec *dataset.Spec) {
		e.Train.Epochs = 3
		spec.Subjects, spec.Derived = spec.Subjects[:1], nil
		for i, name := range []string{"val", "test"} {
			sound, answer := longStory(rows, uint64(1000+10_000*i))
			spec.Stories[2+i].Audio = dataset.Value(sound)
			spec.Subjects[0].Responses[2+i] = dataset.Response{Story: name, Matrix: dataset.Value(answer)}
			test = sound
		}
	})
	return st, run, test
}

// covered is the share of measured values that lie within bounds.
func covered(lower, upper, want []float32) float64 {
	n := 0
	for i, y := range want {
		if lower[i] <= y && y <= upper[i] {
			n++
		}
	}
	return float64(n) / float64(len(want))
}

func TestIntervalsCoverAnUnseenStory(t *testing.T) {
	if testing.Short() {
		t.Skip("a training")
	}
	const rows = 640
	st, run, sound := longRun(t, rows)
	ada := st.Subjects[0]
	part := ada.Parts[study.Test][0]
	require.Greater(t, part.Len(), rows-10)
	want, err := ada.Read(t.Context(), ada.Tuned, part)
	require.NoError(t, err)
	for _, training := range []bool{false, true} {
		p := openTinyPredictor(t, run, Options{TrainingStatistics: training})
		assert.True(t, p.Calibrated())
		got, err := p.Predict(t.Context(), sound)
		require.NoError(t, err)
		for _, level := range []float64{.5, .9, .95} {
			lower, upper, err := p.Interval(got, level)
			require.NoError(t, err)
			from, to := part.From*got.Voxels, part.To*got.Voxels
			share := covered(lower[from:to], upper[from:to], want)
			t.Logf("training statistics %v: %.0f %% intervals cover %.1f %%", training, 100*level, 100*share)
			assert.InDelta(t, level, share, .02)
		}
		_, _, err = p.Interval(got, .123)
		assert.Equal(t, fault.Usage, fault.KindOf(err))
		mean := 0.
		for _, r := range p.ValidationR {
			mean += r / float64(len(p.ValidationR))
		}
		assert.Greater(t, mean, .2, "r on the validation rows")
	}
}

// Statistics of the training stories make a row depend on its stimulus window alone.
func TestTrainingStatisticsAreTheClipsOnly(t *testing.T) {
	st, run := tinyRun(t, nil)
	own, trained := openTinyPredictor(t, run, Options{}), openTinyPredictor(t, run, Options{TrainingStatistics: true})
	c, err := calibration.Read(calibration.Path(run, "ada"), own.Columns, 16)
	require.NoError(t, err)

	// The training stories together have mean 0 and SD 1.
	var all []float32
	for _, story := range []string{"one", "two"} {
		stim := st.Stimuli[story]
		vectors, err := trained.reader(t.Context(), stim, []int{2})
		require.NoError(t, err)
		rows := stim.Tuning.Statistics[0]
		x := c.Statistics.Apply(stim.Tuning.Resample(vectors[0], 16))
		all = append(all, x[rows.From*16:rows.To*16]...)
	}
	z := design.FitZScore(all, len(all)/16, 16)
	for i := range z.Mean {
		assert.InDelta(t, 0, z.Mean[i], 1e-4)
		assert.InDelta(t, 1, z.SD[i], 1e-4)
	}

	clip, _ := studytest.TinySound(7)
	for _, p := range []*Predictor{own, trained} {
		long, err := p.Predict(t.Context(), clip)
		require.NoError(t, err)
		short, err := p.Predict(t.Context(), clip[:len(clip)/2])
		require.NoError(t, err)
		most := 0.
		for i := range 15 * short.Voxels { // rows that Lanczos does not spoil
			most = max(most, math.Abs(float64(long.Values[i])-float64(short.Values[i])))
		}
		if p == trained {
			assert.Less(t, most, 1e-4)
		} else {
			assert.Greater(t, most, 1e-2)
		}
	}
}

// Ceilings are those of an evaluation, null where there is none; runs of before this, and few rows, have no intervals.
func TestWhatIsNotKnownIsNaN(t *testing.T) {
	_, run := tinyRun(t, nil)
	p := openTinyPredictor(t, run, Options{})
	assert.True(t, math.IsNaN(p.Ceiling[0]))
	assert.False(t, math.IsNaN(p.ValidationR[0]))
	clip, _ := studytest.TinySound(7)
	got, err := p.Predict(t.Context(), clip)
	require.NoError(t, err)
	lower, _, err := p.Interval(got, .9)
	require.NoError(t, err)
	assert.True(t, math.IsNaN(float64(lower[0])), "34 rows are 3 blocks")

	dir := filepath.Join(run, "eval", "test", "ada")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	ceiling := slices.Repeat([]float32{.5}, 60)
	ceiling[1], ceiling[2] = 0, float32(math.NaN())
	require.NoError(t, npy.Write(filepath.Join(dir, "ceiling.npy"), []int{60}, ceiling))
	p = openTinyPredictor(t, run, Options{})
	assert.InDelta(t, .5, p.Ceiling[0], 0)
	assert.True(t, math.IsNaN(p.Ceiling[1]))
	assert.True(t, math.IsNaN(p.Ceiling[2]))
	require.NoError(t, npy.Write(filepath.Join(dir, "ceiling.npy"), []int{6}, ceiling[:6]))
	_, err = Open(t.Context(), run, Options{Device: torchtest.Device()})
	assert.Equal(t, fault.BadData, fault.KindOf(err), err)
	require.NoError(t, os.RemoveAll(filepath.Join(run, "eval")))

	file := calibration.Path(run, "ada")
	require.NoError(t, os.Rename(file, file+".away"))
	p = openTinyPredictor(t, run, Options{})
	assert.False(t, p.Calibrated())
	assert.True(t, math.IsNaN(p.ValidationR[0]))
	lower, upper, err := p.Interval(got, .5)
	require.NoError(t, err)
	assert.True(t, math.IsNaN(float64(lower[0])))
	assert.True(t, math.IsNaN(float64(upper[0])))
	_, err = Open(t.Context(), run, Options{TrainingStatistics: true, Device: torchtest.Device()})
	assert.Equal(t, fault.Usage, fault.KindOf(err), err)
	require.NoError(t, os.WriteFile(file, []byte("no tensors"), 0o644))
	_, err = Open(t.Context(), run, Options{Device: torchtest.Device()})
	assert.Equal(t, fault.BadData, fault.KindOf(err), err)
}
