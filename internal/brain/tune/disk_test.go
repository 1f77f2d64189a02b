package tune_test

import (
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/studytest"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	"github.com/brainwavlm/bwlm/internal/rundir"
)

const perEpoch = 6 // steps of the tiny study

// brokenDisk refuses checkpoints from one step on, until another (0: never). It also sees to it that the first and the
// last of four epochs are never the best.
type brokenDisk struct {
	from, until int
	study       *study.Study
	run         *rundir.Run
	warnings    []string
	err         error
}

func (d *brokenDisk) event(e progress.Event) {
	if e.Phase == progress.Tune && (e.Done == 1 || e.Done == 3*perEpoch+1) {
		studytest.Upend(d.study, "val")
	}
	switch {
	case e.Phase == progress.Warning:
		d.warnings = append(d.warnings, e.Note)
	case e.Phase == progress.Tune && e.Done == d.from: // a file in the place of the folder stops root too
		d.err = errors.Join(d.err, os.Rename(d.run.File("ckpt"), d.run.File("away")),
			os.WriteFile(d.run.File("ckpt"), nil, 0o644))
	case e.Phase == progress.Tune && e.Done == d.until:
		d.err = errors.Join(d.err, os.Remove(d.run.File("ckpt")), os.Rename(d.run.File("away"), d.run.File("ckpt")))
	}
}

func TestDiskThatRefusesCheckpoints(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole training, or a golden of one")
	}
	start := func(d *brokenDisk) (*study.Study, *rundir.Run) {
		st := studytest.Tiny(t, study.Options{Progress: d.event},
			func(e *experiment.Experiment, _ *dataset.Spec) { e.Train.Epochs = 4 })
		run, err := st.Begin(t.Context())
		require.NoError(t, err)
		t.Cleanup(func() { run.Close() })
		d.study, d.run = st, run
		studytest.Upend(st, "val")
		return st, run
	}
	sound := &brokenDisk{}
	st, run := start(sound)
	want, err := tune.Fit(t.Context(), st, run)
	require.NoError(t, err)
	require.Contains(t, []int{1, 2, 3}, want.Best, "epochs: %v", want.Epochs)
	adapter, err := os.ReadFile(run.File("adapter/adapter_model.safetensors"))
	require.NoError(t, err)

	d := &brokenDisk{from: 1, until: 4*perEpoch - 1} // only the last epoch can be saved
	st, run = start(d)
	got, err := tune.Fit(t.Context(), st, run)
	require.NoError(t, errors.Join(err, d.err))
	assert.Equal(t, want.Best, got.Best)
	require.Len(t, d.warnings, 3)
	assert.Contains(t, d.warnings[0], "the checkpoint of epoch 1 is not saved, the run continues")
	again, err := os.ReadFile(run.File("adapter/adapter_model.safetensors"))
	require.NoError(t, err)
	assert.Equal(t, adapter, again, "the best epoch was kept until the disk took it")

	d = &brokenDisk{from: perEpoch + 1}
	st, run = start(d)
	_, err = tune.Fit(t.Context(), st, run)
	require.NoError(t, d.err)
	assert.Equal(t, fault.IO, fault.KindOf(err), err)
	assert.Len(t, d.warnings, 2)
	assert.NoDirExists(t, run.File("adapter"))

	d = &brokenDisk{}
	st, run = start(d)
	require.NoError(t, os.WriteFile(run.File("ckpt"), nil, 0o644))
	_, err = tune.Fit(t.Context(), st, run)
	assert.Equal(t, fault.IO, fault.KindOf(err), "what cannot be saved at the start is not begun")
}
