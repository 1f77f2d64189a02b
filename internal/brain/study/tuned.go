package study

import (
	"context"
	"path/filepath"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/internal/basemodel"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/speech"
)

// Tuned is a tuned model for an evaluation.
type Tuned struct {
	Model   speech.Encoder
	Release func()
	Untuned bool // Model is the study's own: the run chose epoch 0
}

// Close frees the model.
func (t *Tuned) Close() { t.Release() }

// LoadTuned returns the tuned model of a finished run, nil where training changed readouts only. It is an error if the
// base model, or data that the run was trained on, are not what they were then, unless that is allowed.
func (st *Study) LoadTuned(ctx context.Context, run *rundir.Run) (*Tuned, error) {
	if err := st.checkBase(run); err != nil {
		return nil, err
	}
	if err := st.SameInputs(ctx, run); err != nil {
		return nil, err
	}
	if st.choseUntuned(run) {
		return &Tuned{st.Model, func() {}, true}, nil
	}
	switch st.Experiment.Train.Mode {
	case experiment.TrainLoRA:
		return st.LoadAdapter(ctx, run.File("adapter"))
	case experiment.TrainFull:
		exp := *st.Experiment
		exp.Model.Path = run.File("model")
		m, err := OpenModel(ctx, &exp, true)
		if err != nil {
			return nil, err
		}
		return &Tuned{Model: m, Release: m.Close}, nil
	}
	return nil, nil
}

// choseUntuned reports whether the model of a run is the untuned one, epoch 0. A run whose checkpoints are gone is read
// as any other.
func (st *Study) choseUntuned(run *rundir.Run) bool {
	mode := st.Experiment.Train.Mode
	if mode != experiment.TrainLoRA && (mode != experiment.TrainFull || st.Options.AllowChangedBase) {
		return false
	}
	p, err := run.Progress()
	return err == nil && p.Epochs[p.Best].Epoch == 0
}

// LoadAdapter adapts the study's model with the adapter in a folder.
func (st *Study) LoadAdapter(ctx context.Context, dir string) (*Tuned, error) {
	a, err := peft.Load(dir)
	if err != nil {
		return nil, err
	}
	a.AllowChangedBase = st.Options.AllowChangedBase
	view, err := st.Adapted(ctx, a)
	if err != nil {
		a.Close()
		return nil, err
	}
	return &Tuned{Model: view, Release: a.Close}, nil
}

// SameInputs returns an error if files other than the base model are not what a run began with, unless that is allowed:
// scores would be of data that the run was not tuned on, or of rows that it was. A run is compared once.
func (st *Study) SameInputs(ctx context.Context, run *rundir.Run) error {
	if run.InputsKnown() {
		return nil
	}
	const op = "open run"
	var m results.Manifest
	if err := jsonfile.Read(op, run.File(rundir.ManifestOfRun), &m); err != nil {
		return err
	}
	exp, err := run.Experiment()
	if err != nil {
		return err
	}
	model := filepath.Clean(exp.Model.Path)
	changed, err := rundir.ChangedInputs(ctx, op, m.Inputs, func(path string) bool {
		return filepath.Dir(path) == model
	})
	if err != nil {
		return err
	}
	if len(changed) > 0 && !st.Options.AllowChangedData {
		return changed[0]
	}
	for _, c := range changed {
		st.Note("CHANGED DATA, allowed: %v", c)
	}
	run.KnowInputs()
	return nil
}

// checkBase returns an error if the study's model is not the one that a run was trained on, unless that is allowed.
func (st *Study) checkBase(run *rundir.Run) error {
	var m results.Manifest
	err := jsonfile.Read("open run", run.File(rundir.ManifestOfRun), &m)
	if err != nil {
		return err
	}
	now, err := st.Model.Identity()
	if err != nil {
		return err
	}
	err = basemodel.Check("open run", run.Dir, m.Base, now)
	if err != nil && st.Options.AllowChangedBase {
		st.Options.Progress(progress.Event{Phase: progress.Warning, Note: run.Dir + ": another base model is allowed"})
		return nil
	}
	return err
}
