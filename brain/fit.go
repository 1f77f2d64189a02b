package brain

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/brainwavlm/bwlm/brain/align"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/ckpt"
	"github.com/brainwavlm/bwlm/fault"
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
	if t.lossName == "spatial" || t.lossName == "temporal" {
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

// readForEpoch reads the features of training and validation stories.
func (t *trainer) readForEpoch(ctx context.Context) ([]rowFeatures, error) {
	return t.read(ctx, t.reader, "validate", t.storiesOf(Train, Val), t.readLayers()...)
}

// readLayers are the hidden states that training or scores look at.
func (t *trainer) readLayers() []int {
	layers := t.scoredLayers()
	for l := layers[0] - 1; l >= 0 && t.mixed() > 1; l-- {
		layers = append([]int{l}, layers...)
	}
	return layers
}

// tunedOn are the features that the readouts see, of those of readLayers.
func (t *trainer) tunedOn(fs []rowFeatures) *rowFeatures {
	return joined(fs[len(fs)-t.mixed():], len(t.delays))
}

// validate scores the model as it is now. Features are scored by a ridge, as at the end; where they are not tuned it is
// the readouts that differ between epochs.
func (t *trainer) validate(ctx context.Context, done *Epoch) (err error) {
	defer torch.Part(ctx, PartScores)()
	if !t.tunes {
		done.ValR, err = t.readoutR(ctx)
		return err
	}
	rows := 0
	if t.Experiment.Compat.FirstBlockVal {
		rows = t.Experiment.Train.BlockTRs
	}
	scores, err := t.validation(ctx, t.features[len(t.features)-len(t.scoredLayers()):], rows)
	if err != nil {
		return err
	}
	done.ValR, t.valid = t.tunedR(scores), scores
	if t.guard != nil {
		r := t.guard.r(scores)
		done.GuardR = &r
	}
	return nil
}

// readoutR is the mean over people of the mean r of their tuned voxels, as the trained readouts predict them.
func (t *trainer) readoutR(ctx context.Context) (float64, error) {
	total := 0.
	f := t.tunedOn(t.features)
	for i, p := range t.people {
		x, rows := f.stack(p, Val)
		var pred, want []float32
		err := t.session.Infer(ctx, func(s *torch.Scope) error {
			pred = t.readouts[i].Forward(s.FromFloat32(x, rows, f.width)).Float32s()
			return nil
		})
		if err != nil {
			return 0, err
		}
		for _, r := range p.parts[Val] {
			want = append(want, p.responses[r.Story].block(r.From, r.To, p.tuned, p.voxels)...)
		}
		r, constant := stats.Correlation(pred, want, rows, len(p.tuned))
		total += p.tunedMean(r, constant)
	}
	return total / float64(len(t.people)), nil
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

// save writes the checkpoint of an epoch. A failure is a warning while the run goes on, since the checkpoint before is
// still there, and an error at the start and at the end.
func (t *trainer) save(run *Run) error {
	c := t.checkpoint()
	err := t.write(run, c)
	if err == nil || t.progress.Epoch == t.Experiment.Train.Epochs || t.progress.Epoch == 0 {
		return err
	}
	if c.progress.BestStep == c.progress.Step {
		t.unsaved = &c
	}
	t.opt.Progress(Event{Phase: "warning", Note: fmt.Sprintf("the checkpoint of epoch %d is not saved, the run goes on: %v", t.progress.Epoch, err)})
	return nil
}

// write saves a checkpoint. The best one goes first if it could not be saved in its time, so that a checkpoint never
// names a best one that is not there.
func (t *trainer) write(run *Run, c checkpoint) error {
	if u := t.unsaved; u != nil && u.progress.Step == c.progress.BestStep && u.progress.Step != c.progress.Step {
		if err := run.save(*u); err != nil {
			return err
		}
	}
	t.unsaved = nil
	return run.save(c)
}

// checkpoint gathers all that a resumed run needs.
func (t *trainer) checkpoint() checkpoint {
	tensors := append(t.weights(), tensorsOf("optimizer.", t.adam.State())...)
	tensors = append(tensors, t.guardTensors()...)
	return checkpoint{t.progress, append(tensors, zscoreTensors(t.zscore)...)}
}

// weights are the parameters that change, under the names of the checkpoint.
func (t *trainer) weights() (out []ckpt.Tensor) {
	for name, p := range t.adam.Params() {
		out = append(out, ckpt.NewTensor("weights."+name, p.Shape(), p.Float32s()))
	}
	for i, p := range t.people {
		if t.pinned() { // which no optimizer changes
			out = append(out, tensorsOf(pinnedPrefix(p), t.readouts[i].store.Params())...)
		}
	}
	return out
}

func pinnedPrefix(p *person) string { return "weights.readout." + p.name + "." }

// resume reads the newest good checkpoint into the trainer.
func (t *trainer) resume(ctx context.Context, run *Run) error {
	p, f, err := run.newest(func(err error) { t.opt.Progress(Event{Phase: "warning", Note: err.Error()}) })
	if err != nil {
		return err
	}
	defer f.Close()
	hash, err := run.configHash()
	if err != nil {
		return err
	}
	if p.Config != hash {
		return fault.New(fault.BadData, "resume", filepath.Join(run.Dir, configFile), "was changed since the run began").
			Advise("put it back, or start another run")
	}
	if p.Torch != torch.Version() {
		return fault.New(fault.BadData, "resume", run.Dir, "was begun with libtorch %s, this is %s", p.Torch, torch.Version())
	}
	if err := t.unchanged(ctx, run); err != nil {
		return err
	}
	t.warnIfOther("threads", fmt.Sprint(p.Threads), fmt.Sprint(torch.Threads()))
	t.warnIfOther("device", p.Device, t.session.Device.String())
	t.progress = *p
	if err := run.rewind(p.Step, p.Metrics); err != nil {
		return err
	}
	if err := t.restore(ctx, f, true); err != nil {
		return err
	}
	if err := t.restoreGuard(ctx, f); err != nil {
		return err
	}
	t.zscore = map[string]align.ZScore{}
	for name := range f.Tensors() {
		story, isMean := strings.CutSuffix(strings.TrimPrefix(name.Name, "zscore."), ".mean")
		if !isMean || !strings.HasPrefix(name.Name, "zscore.") {
			continue
		}
		mean, err := f.Float64(name.Name)
		if err != nil {
			return err
		}
		sd, err := f.Float64("zscore." + story + ".sd")
		if err != nil {
			return err
		}
		t.zscore[story] = align.ZScore{Mean: mean, SD: sd}
	}
	return nil
}

// warnIfOther says that a resumed run goes on under other conditions.
func (t *trainer) warnIfOther(what, then, now string) {
	if then != now {
		t.opt.Progress(Event{Phase: "warning", Note: fmt.Sprintf("begun with %s %s, going on with %s: last bits may differ", what, then, now)})
	}
}

// restore reads weights, and the optimizer's memory if wanted, from a checkpoint.
func (t *trainer) restore(ctx context.Context, f *ckpt.File, optimizer bool) error {
	return t.session.Train(ctx, 0, func(s *torch.Scope) error {
		for name, p := range t.adam.Params() {
			v, err := readTensor(s, f, "weights."+name)
			if err != nil {
				return err
			}
			p.CopyFrom(v)
		}
		for i, p := range t.people {
			if !t.pinned() {
				break
			}
			if err := restoreStore(s, f, pinnedPrefix(p), t.readouts[i].store); err != nil {
				return err
			}
		}
		if !optimizer {
			return nil
		}
		return t.adam.SetState(func(name string) (*torch.Tensor, error) { return readTensor(s, f, "optimizer."+name) })
	})
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

// configHash identifies the resolved experiment of the run.
func (r *Run) configHash() (string, error) {
	path := filepath.Join(r.Dir, configFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fault.Wrap(fault.IO, "read config", path, err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}
