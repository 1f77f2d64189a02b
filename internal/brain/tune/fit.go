package tune

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"time"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/internal/brain/phases"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/disk"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/torch"
)

// Fit tunes the model on the training rows and writes the epoch with the best validation score to
// the run directory. A run that has checkpoints is continued from the newest, with a result that is
// bit-identical to that of an uninterrupted run (at an equal number of threads).
//
// When the context ends, Fit finishes the step, saves a checkpoint, and returns the context's cause.
//
// Ranks train together, all from the same state. One of them writes the run, and the others follow it.
func Fit(ctx context.Context, st *study.Study, run *rundir.Run) (*rundir.Progress, error) {
	if err := st.Measure(ctx); err != nil {
		return nil, err
	}
	t, err := NewTrainer(ctx, st)
	if err != nil {
		return nil, err
	}
	defer t.Close()
	if err := t.Prove(ctx, t.Order); err != nil {
		return nil, err
	}
	if err := t.start(ctx, run); err != nil {
		return nil, err
	}
	for t.Progress.Epoch < st.Experiment.Train.Epochs {
		if err := t.epoch(ctx, run); err != nil {
			return nil, err
		}
	}
	return t.finish(ctx, run)
}

// start reads the newest checkpoint, or scores and saves the untuned model as epoch 0.
func (t *Trainer) start(ctx context.Context, run *rundir.Run) error {
	steps, err := run.Steps()
	if err != nil {
		return err
	}
	if err := t.together("begin with %d checkpoints", len(steps)); err != nil {
		return err
	}
	if len(steps) > 0 {
		return t.resume(ctx, run)
	}
	if !run.Fresh() { // one that was killed before its first checkpoint
		if err := t.Study.Unchanged(ctx, run); err != nil {
			return err
		}
	}
	if err := run.Rewind(rundir.Progress{}, 0, 0); err != nil {
		return err
	}
	t.Progress = rundir.Progress{Format: rundir.CheckpointFormat, Threads: torch.Threads(), Torch: torch.Version(),
		Device: t.Session.Device.String()}
	if t.Progress.Config, err = run.ConfigHash(); err != nil {
		return err
	}
	return t.endEpoch(ctx, run, results.Epoch{})
}

// epoch trains on the remaining blocks of one epoch.
func (t *Trainer) epoch(ctx context.Context, run *rundir.Run) error {
	exp, p := t.Study.Experiment, &t.Progress
	todo := t.ordered()
	for p.Block < len(todo) {
		err := ctx.Err()
		if err == nil {
			err = t.Refresh(ctx)
		}
		if err == nil && !t.tunes { // or the step exchanges what it computes
			err = t.together("step %d", p.Step)
		}
		switch {
		case err != nil && ctx.Err() != nil:
			return t.interrupted(ctx, run)
		case err != nil:
			return err
		}
		b := todo[p.Block]
		seed := torch.Seed(exp.Train.Seed, seedStep, uint64(p.Epoch), uint64(p.Block))
		begun := time.Now()
		loss, err := t.Step(context.WithoutCancel(ctx), b, seed) // a step runs whole
		if err != nil {
			return err
		}
		took := time.Since(begun)
		p.Block++
		p.Step++
		p.LossSum += loss
		if p.Metrics, err = run.Log(stepRecord{p.Step, p.Epoch + 1, b.Story, b.From, b.To, loss}); err != nil {
			return err
		}
		t.Study.Options.Progress(progress.Event{Phase: progress.Tune, Done: p.Step, Total: exp.Train.Epochs * len(todo),
			Epoch: p.Epoch + 1, Loss: loss, R: t.rOf(loss), Took: took})
		if p.Block < len(todo) {
			if err := t.saveInTime(run); err != nil {
				return err
			}
		}
	}
	mean := p.LossSum / float64(len(todo))
	return t.endEpoch(ctx, run, results.Epoch{Epoch: p.Epoch + 1, Step: p.Step, Loss: &mean})
}

// ordered returns the blocks of the epoch that is going on, in the order of its steps.
func (t *Trainer) ordered() []Block {
	train := t.Study.Experiment.Train
	if train.Order == "listed" {
		return Listed(t.Order)
	}
	return Shuffled(t.Order, torch.Seed(train.Seed, seedOrder, uint64(t.Progress.Epoch)))
}

type stepRecord struct {
	Step  int     `json:"step"`
	Epoch int     `json:"epoch"`
	Story string  `json:"story"`
	From  int     `json:"from"`
	To    int     `json:"to"`
	Loss  float64 `json:"loss"`
}

// rOf returns the correlation behind a loss, 0 for losses without one.
func (t *Trainer) rOf(loss float64) float64 {
	if t.Study.LossName == experiment.LossSpatial || t.Study.LossName == experiment.LossTemporal {
		return -loss
	}
	return 0
}

// endEpoch extracts all features again, for the statistics of the next epoch and the validation
// score of this one, and saves a checkpoint.
func (t *Trainer) endEpoch(ctx context.Context, run *rundir.Run, done results.Epoch) (err error) {
	defer torch.Part(ctx, phases.PhaseValidation)()
	p := &t.Progress
	if t.tunes || t.features == nil {
		t.features, err = t.ReadForEpoch(ctx)
	}
	if err == nil && len(p.Epochs) == 0 && t.Retention != nil {
		err = t.FitRetention(ctx, &t.features[len(t.features)-1])
	}
	if err == nil && t.ridgeReadouts() {
		err = t.RefitReadouts(ctx, t.TunedOn(t.features))
	}
	if err == nil {
		err = t.validate(ctx, &done)
	}
	if err == nil {
		err = t.saveFeatures(ctx, run, done.Epoch)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return t.interrupted(ctx, run) // a resumed run finds all blocks done and validates again
	case err != nil:
		return err
	}
	if err := t.alike(); err != nil {
		return err
	}
	t.Zscore = maps.Clone(t.TunedOn(t.features).Zscore)
	p.Epoch, p.Block, p.LossSum = done.Epoch, 0, 0
	p.Epochs = append(p.Epochs, done)
	if last := len(p.Epochs) - 1; last == 0 || done.ValR > p.Epochs[p.Best].ValR &&
		t.Retention.Admits(done, p.Epochs[0]) {
		p.Best, p.BestStep = last, p.Step
	}
	if p.Metrics, err = run.Log(done); err != nil {
		return err
	}
	if t.Study.Experiment.Train.KeepEpochs {
		if err := t.writeTuned(context.WithoutCancel(ctx), run, fmt.Sprintf("epochs/%d", p.Epoch),
			len(p.Epochs)-1); err != nil {
			return err
		}
	}
	t.Study.Options.Progress(progress.Event{Phase: progress.EpochEnd, Done: p.Epoch,
		Total: t.Study.Experiment.Train.Epochs,
		Epoch: p.Epoch, R: done.ValR, Details: t.details(ctx, done)})
	return t.save(run)
}

// interrupted saves a checkpoint if any step was done.
func (t *Trainer) interrupted(ctx context.Context, run *rundir.Run) error {
	if len(t.Progress.Epochs) > 0 {
		if err := t.write(run, t.checkpoint()); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// finish restores the best epoch and writes calibration/, adapter/ or model/, and readout/.
func (t *Trainer) finish(ctx context.Context, run *rundir.Run) (*rundir.Progress, error) {
	life := ctx // of what takes long
	ctx = context.WithoutCancel(ctx)
	_, f, err := run.Open(t.Progress.BestStep)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := t.restore(ctx, run, t.Progress.BestStep, f, false); err != nil {
		return nil, err
	}
	z, err := readZscore(f)
	if err == nil {
		err = t.calibrate(life, run, z)
	}
	if err := t.first(t.agreed("write calibration", err)); err != nil {
		return nil, err
	}
	return &t.Progress, t.writeTuned(ctx, run, "", t.Progress.Best)
}

// writeTuned writes adapter/ or model/, and readout/, of an epoch into a folder of the run, "" for the run's own.
func (t *Trainer) writeTuned(ctx context.Context, run *rundir.Run, folder string, epoch int) error {
	asked := false
	voxels := func(dir string) ([]rundir.ManifestEntry, error) {
		asked = true
		return t.writeVoxels(run, dir, t.voxelFiles())
	}
	var err error
	if !run.Follows() {
		err = t.writeModelAndReadouts(ctx, filepath.Join(run.Dir, folder), epoch, voxels)
	}
	if !asked {
		if _, other := voxels(""); err == nil {
			err = other
		}
	}
	return t.first(t.agreed("write run", err))
}

// writeModelAndReadouts writes the results of an epoch into a folder. voxels writes the blocks of all ranks' readouts.
func (t *Trainer) writeModelAndReadouts(ctx context.Context, dir string, epoch int,
	voxels func(dir string) ([]rundir.ManifestEntry, error)) (err error) {
	if err := disk.MkdirAll(dir, 0o755); err != nil {
		return disk.Fault("write run", dir, err)
	}
	switch {
	case t.Adapter != nil:
		t.Adapter.Card = t.card(epoch)
		err = rundir.ReplaceDir(filepath.Join(dir, "adapter"), t.Adapter.SaveInto)
	case t.own != nil:
		model := filepath.Join(dir, "model")
		if err = rundir.Discard(model); err == nil {
			err = t.own.Save(ctx, model)
		}
	}
	if err != nil {
		return err
	}
	return rundir.ReplaceDir(filepath.Join(dir, "readout"), func(dir string) error {
		entries, err := voxels(dir)
		if err != nil {
			return err
		}
		for i, p := range t.Study.Subjects {
			tensors, err := t.readoutTensors(dir, i)
			if err != nil {
				return err
			}
			tensors = append(tensors, ckpt.NewTensor("columns", []int{len(p.Tuned)}, rundir.Int64s(p.Tuned)))
			if err := ckpt.Write(filepath.Join(dir, p.Name+".safetensors"), tensors,
				t.readoutMetadata(epoch)); err != nil {
				return err
			}
		}
		return removeFiles(dir, entries)
	})
}
