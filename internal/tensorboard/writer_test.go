package tensorboard

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/internal/tfevents/readback"
)

const perEpoch = 3 // steps

// training plays the events of a training whose numbers are those of its steps, from a checkpoint
// to a step, and there up to the end of an epoch or just before it.
func training(t *testing.T, dir string, p rundir.Progress, to int, validated bool) {
	t.Helper()
	b, err := Open(dir, experiment.Default(), func(err error) { assert.NoError(t, err) })
	require.NoError(t, err)
	b.From(p)
	b.Event(progress.Event{Phase: progress.Read("base"), Done: 1})
	ends := func(step int) {
		loss, guard := float64(step), .5
		d := &progress.EpochMetrics{Epoch: results.Epoch{Epoch: step / perEpoch, Step: step, ValR: float64(step) / 8,
			RetainedR: &guard}, Loss: -float64(step),
			Regions: map[string]float64{"b": 2, "a": float64(step)}}
		if step > 0 {
			d.Epoch.Loss = &loss
		}
		b.Event(progress.Event{Phase: progress.EpochEnd, Details: d})
	}
	if len(p.Epochs) == 0 || p.Step > p.Epochs[len(p.Epochs)-1].Step && p.Step%perEpoch == 0 {
		ends(p.Step) // stopped before it was validated
	}
	for step := p.Step + 1; step <= to; step++ {
		b.Event(progress.Event{Phase: progress.Tune, Done: step, Loss: -float64(step), R: float64(step),
			Took: time.Duration(step) * time.Second})
		if step%perEpoch == 0 && (step < to || validated) {
			ends(step)
		}
	}
	require.NoError(t, b.Close())
}

func at(step int, epochs ...int) rundir.Progress {
	p := rundir.Progress{Step: step}
	for _, e := range epochs {
		p.Epochs = append(p.Epochs, results.Epoch{Step: e})
	}
	return p
}

// whole wants that each step and each epoch up to the last is there, and once.
func whole(t *testing.T, dir string, last int) {
	t.Helper()
	steps, epochs := readback.Curves(t, filepath.Join(dir, "steps")), readback.Curves(t, filepath.Join(dir, "epochs"))
	assert.Equal(t, []string{"learning_rate/model", "learning_rate/readout", "loss/train", "score/train",
		"seconds_per_step"}, slices.Sorted(maps.Keys(steps)))
	assert.Equal(t, []string{"loss/train", "loss/validation", "rois/a", "rois/b", "score/retained", "score/validation"},
		slices.Sorted(maps.Keys(epochs)))
	for tag, curve := range steps {
		require.Len(t, curve, last, tag)
	}
	for step := int64(1); step <= int64(last); step++ {
		assert.Equal(t, -float32(step), steps["loss/train"][step])
		assert.Equal(t, float32(step), steps["seconds_per_step"][step])
	}
	require.Len(t, epochs["loss/train"], last/perEpoch)
	require.Len(t, epochs["rois/a"], last/perEpoch+1)
	for step := int64(0); step <= int64(last); step += perEpoch {
		assert.Equal(t, float32(step)/8, epochs["score/validation"][step])
		assert.Equal(t, -float32(step), epochs["loss/validation"][step])
		assert.Equal(t, float32(step), epochs["rois/a"][step])
	}
}

func TestTrainingsThatGoOnHaveEachStepOnce(t *testing.T) {
	for name, play := range map[string]func(dir string){
		"unbroken": func(dir string) { training(t, dir, rundir.Progress{}, 9, true) },
		"killed before any checkpoint": func(dir string) {
			training(t, dir, rundir.Progress{}, 0, true)
			training(t, dir, rundir.Progress{}, 9, true)
		},
		"killed after steps not saved": func(dir string) {
			training(t, dir, rundir.Progress{}, 5, false)
			training(t, dir, at(3, 0, 3), 9, true)
		},
		"stopped in an epoch": func(dir string) {
			training(t, dir, rundir.Progress{}, 4, false)
			training(t, dir, at(4, 0, 3), 9, true)
		},
		"stopped before validation": func(dir string) {
			training(t, dir, rundir.Progress{}, 6, false)
			training(t, dir, at(6, 0, 3), 9, true)
		},
		"and killed before it is saved": func(dir string) {
			training(t, dir, rundir.Progress{}, 6, false)
			training(t, dir, at(6, 0, 3), 6, true)
			training(t, dir, at(6, 0, 3), 9, true)
		},
		"saved, then killed": func(dir string) {
			training(t, dir, rundir.Progress{}, 6, true)
			training(t, dir, at(6, 0, 3, 6), 9, true)
		},
		"a newer checkpoint was spoilt": func(dir string) {
			training(t, dir, rundir.Progress{}, 8, true)
			training(t, dir, at(3, 0, 3), 9, true)
		},
		"another training before": func(dir string) {
			training(t, dir, rundir.Progress{}, 30, true)
			training(t, dir, rundir.Progress{}, 9, true)
		},
		"finished, and called again": func(dir string) {
			training(t, dir, rundir.Progress{}, 9, true)
			training(t, dir, at(9, 0, 3, 6, 9), 9, true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			play(dir)
			whole(t, dir, 9)
		})
	}
}

func TestRatesAreOfWhatIsTrained(t *testing.T) {
	for _, c := range []struct {
		mode    experiment.TrainMode
		readout experiment.ReadoutMode
		mix     experiment.LayerWeights
		want    map[string]float32
	}{
		{"readout", "trained", "none", map[string]float32{"learning_rate/readout": .5}},
		{"lora", "ridge", "none", map[string]float32{"learning_rate/model": .25}},
		{"full", "trained", "voxel", map[string]float32{"learning_rate/model": .25, "learning_rate/readout": .5,
			"learning_rate/layer_weights": 2}},
	} {
		e := experiment.Default()
		e.Train.Mode, e.Readout.Mode, e.Readout.LayerWeights, e.Train.LR, e.Train.ReadoutLR,
			e.Train.LayerWeightsLR = c.mode, c.readout, c.mix, .25, .5, 2
		dir := t.TempDir()
		b, err := Open(dir, e, nil)
		require.NoError(t, err)
		b.Event(progress.Event{Phase: progress.Tune, Done: 1, Loss: 3})
		require.NoError(t, b.Close())
		got := readback.Curves(t, filepath.Join(dir, "steps"))
		assert.Equal(t, map[int64]float32{1: 3}, got["loss/train"])
		for tag, rate := range c.want {
			assert.Equal(t, map[int64]float32{1: rate}, got[tag])
		}
		assert.Len(t, got, 2+len(c.want))
	}
}

func TestABoardThatBreaksIsOneWarning(t *testing.T) {
	var said []error
	b, err := Open(t.TempDir(), experiment.Default(), func(err error) { said = append(said, err) })
	require.NoError(t, err)
	b.Event(progress.Event{Phase: progress.Tune, Done: 1})
	require.NoError(t, b.steps.Close())
	for step := 2; step < 5; step++ {
		b.Event(progress.Event{Phase: progress.Tune, Done: step})
	}
	require.Len(t, said, 1)
	assert.Equal(t, fault.IO, fault.KindOf(said[0]))
}

func TestAFolderThatCannotBeWrittenIsKnownAtOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := Open(file, experiment.Default(), nil)
	assert.Equal(t, fault.IO, fault.KindOf(err))
	assert.ErrorContains(t, err, "choose another folder")

	dir := t.TempDir() // the second of the two files
	require.NoError(t, os.WriteFile(filepath.Join(dir, "epochs"), nil, 0o600))
	_, err = Open(dir, experiment.Default(), nil)
	require.Error(t, err)
	left, err := os.ReadDir(filepath.Join(dir, "steps"))
	require.NoError(t, err)
	assert.Empty(t, left)
}
