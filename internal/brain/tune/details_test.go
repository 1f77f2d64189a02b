package tune_test

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
)

// watched trains a tiny study with details.
func watched(t *testing.T, change func(*experiment.Experiment, *dataset.Spec)) (details []progress.EpochMetrics,
	steps []progress.Event) {
	t.Helper()
	st := studytest.Tiny(t, study.Options{Details: true, Progress: func(e progress.Event) {
		switch e.Phase {
		case "epoch":
			details = append(details, *e.Details)
		case "tune":
			steps = append(steps, e)
		}
	}}, change)
	run, err := st.Begin(t.Context())
	require.NoError(t, err)
	defer run.Close()
	_, err = tune.Fit(t.Context(), st, run)
	require.NoError(t, err)
	return details, steps
}

// A region of all voxels that are tuned has the score of the epoch.
func TestDetailsOfRegions(t *testing.T) {
	details, steps := watched(t, func(e *experiment.Experiment, s *dataset.Spec) {
		all := make([]int, studytest.TinySubjects[0].Voxels)
		for v := range all {
			all[v] = v
		}
		s.ROIs = append(s.ROIs, dataset.ROI{Name: "whole", Region: dataset.Value(dataset.Region{Columns: all})})
	})
	require.Len(t, details, 3)
	for i, d := range details {
		assert.Equal(t, i, d.Epoch.Epoch)
		assert.Equal(t, i*perEpoch, d.Epoch.Step)
		assert.InDelta(t, d.Epoch.ValR, d.Regions["whole"], 1e-12)
		assert.NotEqual(t, d.Regions["whole"], d.Regions["front"])
		assert.Len(t, d.Regions, 2)
	}
	assert.Less(t, details[2].Loss, details[0].Loss, "readouts learn")
	for _, e := range steps {
		assert.Positive(t, e.Took)
	}
}

// Where the score is that of the readouts and a block is the whole story, the temporal loss is minus the score.
func TestDetailsOfTheLoss(t *testing.T) {
	details, _ := watched(t, func(e *experiment.Experiment, _ *dataset.Spec) {
		e.Train.Mode, e.Train.Loss, e.Train.BlockRows = "readout", "temporal", studytest.TinyRows
	})
	for _, d := range details {
		assert.InDelta(t, -d.Epoch.ValR, d.Loss, 1e-5)
		assert.Empty(t, d.Regions)
	}
	assert.NotEqual(t, details[0].Loss, details[2].Loss)
}

func TestDetailsOfOtherReadouts(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole training, or a golden of one")
	}
	for name, change := range map[string]func(*experiment.Experiment){
		"pinned":   func(e *experiment.Experiment) { e.Readout.Mode = "ridge" },
		"mixed":    func(e *experiment.Experiment) { e.Readout.LayerWeights = "voxel" },
		"full":     func(e *experiment.Experiment) { e.Train.Mode = "full" },
		"mse, all": func(e *experiment.Experiment) { e.Train.Loss, e.Eval.Layer = "mse", "voxel" },
	} {
		details, _ := watched(t, func(e *experiment.Experiment, _ *dataset.Spec) { change(e); e.Train.Epochs = 1 })
		require.Len(t, details, 2, name)
		for _, d := range details {
			assert.NotZero(t, d.Loss, name)
			assert.Less(t, math.Abs(d.Loss), 1e6, name)
			assert.Contains(t, d.Regions, "front", name)
		}
	}
}

func TestWatchingChangesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole training, or a golden of one")
	}
	dir, want := unbroken(t)
	out := filepath.Join(dir, "watched")
	require.NoError(t, studytest.TrainOnce(t.Context(), studytest.Resumed(dir, out), study.Options{Details: true}))
	studytest.Same(t, want, out)
}
