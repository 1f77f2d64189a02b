package brain

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/ckpt"
	"github.com/brainwavlm/bwlm/torch"
)

// Fit tunes the model on the training rows and leaves the epoch that validation chose in the run directory. A run
// that has checkpoints is continued from the newest, with the same result, to the bit, as if it had never stopped
// (at an equal number of threads).
//
// When the context ends, Fit finishes the step, saves a checkpoint, and returns the context's cause.
func (st *Study) Fit(ctx context.Context, run *Run) (*Progress, error) {
	t, err := st.newTrainer(ctx)
	if err != nil {
		return nil, err
	}
	defer t.close()
	if err := t.prove(ctx, t.order); err != nil {
		return nil, err
	}
	if err := t.start(ctx, run); err != nil {
		return nil, err
	}
	for t.progress.Epoch < st.Experiment.Train.Epochs {
		if err := t.epoch(ctx, run); err != nil {
			return nil, err
		}
	}
	return t.finish(ctx, run)
}

// start reads the newest checkpoint, or scores and saves the model as it is: epoch 0.
func (t *trainer) start(ctx context.Context, run *Run) error {
	steps, err := run.steps()
	if err != nil {
		return err
	}
	if len(steps) > 0 {
		return t.resume(ctx, run)
	}
	if err := run.rewind(0, 0); err != nil { // of one that was killed before its first checkpoint
		return err
	}
	t.progress = Progress{Format: checkpointFormat, Threads: torch.Threads(), Torch: torch.Version(), Device: t.session.Device.String()}
	if t.progress.Config, err = run.configHash(); err != nil {
		return err
	}
	return t.endEpoch(ctx, run, Epoch{})
}

// epoch does the blocks of one epoch that are not done yet.
func (t *trainer) epoch(ctx context.Context, run *Run) error {
	exp, p := t.Experiment, &t.progress
	todo := shuffled(t.order, torch.Seed(exp.Train.Seed, seedOrder, uint64(p.Epoch)))
	for p.Block < len(todo) {
		err := ctx.Err()
		if err == nil {
			err = t.refresh(ctx)
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
		loss, err := t.step(context.WithoutCancel(ctx), b, seed) // a step runs whole
		if err != nil {
			return err
		}
		took := time.Since(begun)
		p.Block++
		p.Step++
		p.LossSum += loss
		if p.Metrics, err = run.log(stepRecord{p.Step, p.Epoch + 1, b.story, b.from, b.to, loss}); err != nil {
			return err
		}
		t.opt.Progress(Event{Phase: "tune", Done: p.Step, Total: exp.Train.Epochs * len(todo), Epoch: p.Epoch + 1, Loss: loss, R: t.rOf(loss), Took: took})
	}
	mean := p.LossSum / float64(len(todo))
	return t.endEpoch(ctx, run, Epoch{Epoch: p.Epoch + 1, Step: p.Step, Loss: &mean})
}

type stepRecord struct {
	Step  int     `json:"step"`
	Epoch int     `json:"epoch"`
	Story string  `json:"story"`
	From  int     `json:"from"`
	To    int     `json:"to"`
	Loss  float64 `json:"loss"`
}

// rOf is the correlation that a loss stands for; 0 where it stands for none.
func (t *trainer) rOf(loss float64) float64 {
	if t.lossName == experiment.LossSpatial || t.lossName == experiment.LossTemporal {
		return -loss
	}
	return 0
}

// endEpoch reads all features anew, which gives the statistics for the next epoch and the validation score of this
// one, and saves.
func (t *trainer) endEpoch(ctx context.Context, run *Run, done Epoch) (err error) {
	defer torch.Part(ctx, PhaseValidation)()
	p := &t.progress
	if t.tunes || t.features == nil {
		t.features, err = t.readForEpoch(ctx)
	}
	if err == nil && len(p.Epochs) == 0 && t.guard != nil {
		err = t.fitGuard(ctx, &t.features[len(t.features)-1])
	}
	if err == nil && t.pinned() {
		err = t.pin(ctx, t.tunedOn(t.features))
	}
	if err == nil {
		err = t.validate(ctx, &done)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return t.interrupted(ctx, run) // a resumed run finds all blocks done and validates again
	case err != nil:
		return err
	}
	t.zscore = maps.Clone(t.tunedOn(t.features).zscore)
	p.Epoch, p.Block, p.LossSum = done.Epoch, 0, 0
	p.Epochs = append(p.Epochs, done)
	if last := len(p.Epochs) - 1; last == 0 || done.ValR > p.Epochs[p.Best].ValR && t.guard.admits(done, p.Epochs[0]) {
		p.Best, p.BestStep = last, p.Step
	}
	if p.Metrics, err = run.log(done); err != nil {
		return err
	}
	t.opt.Progress(Event{Phase: "epoch", Done: p.Epoch, Total: t.Experiment.Train.Epochs, Epoch: p.Epoch, R: done.ValR, Details: t.details(ctx, done)})
	return t.save(run)
}

// interrupted saves what is done so far, if anything is.
func (t *trainer) interrupted(ctx context.Context, run *Run) error {
	if len(t.progress.Epochs) > 0 {
		if err := t.write(run, t.checkpoint()); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// finish takes the best epoch back and writes what others will read: adapter/ or model/, and readout/.
func (t *trainer) finish(ctx context.Context, run *Run) (*Progress, error) {
	ctx = context.WithoutCancel(ctx)
	_, f, err := run.open(t.progress.BestStep)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := t.restore(ctx, f, false); err != nil {
		return nil, err
	}
	switch {
	case t.adapter != nil:
		t.adapter.Card = t.card()
		err = replaceDir(filepath.Join(run.Dir, "adapter"), t.adapter.SaveInto)
	case t.own != nil:
		dir := filepath.Join(run.Dir, "model")
		if err = os.RemoveAll(dir); err == nil {
			err = t.own.Save(ctx, dir)
		}
	}
	if err != nil {
		return nil, err
	}
	err = replaceDir(filepath.Join(run.Dir, "readout"), func(dir string) error {
		for i, p := range t.people {
			tensors := append(t.readouts[i].tensors(), ckpt.NewTensor("columns", []int{len(p.tuned)}, int64s(p.tuned)))
			if err := ckpt.Write(filepath.Join(dir, p.name+".safetensors"), tensors, t.readoutMetadata()); err != nil {
				return err
			}
		}
		return nil
	})
	return &t.progress, err
}

func int64s(x []int) []int64 {
	out := make([]int64, len(x))
	for i, v := range x {
		out[i] = int64(v)
	}
	return out
}
