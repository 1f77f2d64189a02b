package tune

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/dist"
)

// save writes the checkpoint of an epoch. A failure is a warning while the run continues, since the
// checkpoint before is still there, and an error at the start and at the end.
func (t *Trainer) save(run *rundir.Run) error {
	c := t.checkpoint()
	err := t.write(run, c)
	if err != nil && (t.Progress.Epoch == t.Study.Experiment.Train.Epochs || t.Progress.Epoch == 0) {
		return t.first(err)
	}
	if err == nil {
		return nil
	}
	if c.Progress.BestStep == c.Progress.Step {
		t.unsaved = &c
	}
	t.warnOfSave(fmt.Sprintf("the checkpoint of epoch %d is not saved", t.Progress.Epoch), err)
	return nil
}

// warnOfSave says on rank 0, and on the rank that failed, that the run continues without a checkpoint.
func (t *Trainer) warnOfSave(what string, err error) {
	if g := t.Study.Options.Ranks; g.Rank() == 0 || !ofAnother(err) {
		t.Study.Options.Progress(progress.Event{Phase: progress.Warning,
			Note: fmt.Sprintf("%s, the run continues: %v", what, err)})
	}
}

// saveInTime saves a checkpoint within an epoch if one is due. A failure is a warning.
func (t *Trainer) saveInTime(run *rundir.Run) error {
	minutes := t.Study.Experiment.Train.CheckpointMinutes
	if minutes == 0 {
		return nil
	}
	due, err := dist.Gather(t.Study.Options.Ranks, "checkpoint is due",
		flags[float32]([]bool{time.Since(t.written).Minutes() >= minutes}), nil)
	if err != nil || due[0][0] == 0 { // as the clock of rank 0 says
		return err
	}
	if err := t.write(run, t.checkpoint()); err != nil {
		t.warnOfSave(fmt.Sprintf("no checkpoint after step %d", t.Progress.Step), err)
	}
	return nil
}

// write saves a checkpoint. If the best one could not be saved before, it is saved first, so that a
// checkpoint never names a missing one.
func (t *Trainer) write(run *rundir.Run, c checkpoint) error {
	t.written = time.Now()
	if u := t.unsaved; u != nil && u.Progress.Step == c.Progress.BestStep && u.Progress.Step != c.Progress.Step {
		if err := t.saveTogether(run, *u); err != nil {
			return err
		}
	}
	t.unsaved = nil
	return t.saveTogether(run, c)
}

// checkpoint is a checkpoint with the files of the blocks of voxels that this rank has.
type checkpoint struct {
	rundir.Checkpoint
	voxels []voxelFile
}

// checkpoint returns the state that a resumed run needs.
func (t *Trainer) checkpoint() checkpoint {
	tensors := append(t.weights(), rundir.TensorsOf("optimizer.", t.Adam.State())...)
	tensors = append(tensors, t.retentionTensors()...)
	for i, alphas := range t.alphas {
		tensors = append(tensors, ckpt.NewTensor(alphasOf(t.Study.Subjects[i]), []int{len(alphas)}, alphas))
	}
	return checkpoint{rundir.Checkpoint{Progress: t.Progress,
		Tensors: append(tensors, rundir.ZscoreTensors(t.Zscore)...)}, t.voxelFiles()}
}

// weights returns the parameters under the names of the checkpoint, without those of blocks of voxels.
func (t *Trainer) weights() (out []ckpt.Tensor) {
	for name, p := range t.Adam.Params() {
		out = append(out, ckpt.NewTensor("weights."+name, p.Shape(), p.Float32s()))
	}
	for i, p := range t.Study.Subjects {
		if t.ridgeReadouts() && t.whole() { // which no optimizer changes
			out = append(out, rundir.TensorsOf(ridgePrefix(p), t.Readouts[i].Whole.Store.Params())...)
		}
	}
	return out
}

// alphasOf is the name of a subject's alphas of epoch 0 in a checkpoint.
func alphasOf(p *study.Subject) string { return "alphas." + p.Name }

func ridgePrefix(p *study.Subject) string { return "weights.readout." + p.Name + "." }

// resume reads the newest good checkpoint into the trainer.
func (t *Trainer) resume(ctx context.Context, run *rundir.Run) error {
	p, f, err := run.Newest(func(err error) {
		t.Study.Options.Progress(progress.Event{Phase: progress.Warning,
			Note: err.Error()})
	})
	if err != nil {
		return err
	}
	defer f.Close()
	hash, err := run.ConfigHash()
	if err != nil {
		return err
	}
	if p.Config != hash {
		return fault.New(fault.BadData, "resume", filepath.Join(run.Dir, rundir.ConfigFile),
			"was changed since the run began").
			WithHint("put it back, or start another run")
	}
	if p.Torch != torch.Version() {
		return fault.New(fault.BadData, "resume", run.Dir, "was begun with libtorch %s, this is %s", p.Torch,
			torch.Version())
	}
	if err := t.Study.Unchanged(ctx, run); err != nil {
		return err
	}
	t.warnIfOther("threads", fmt.Sprint(p.Threads), fmt.Sprint(torch.Threads()))
	t.warnIfOther("device", p.Device, t.Session.Device.String())
	t.Progress, t.written = *p, time.Now()
	if err := t.restore(ctx, run, p.Step, f, true); err != nil {
		return err
	}
	if err := t.restoreRetention(ctx, f); err != nil {
		return err
	}
	for _, s := range t.Study.Subjects {
		if _, saved := f.Info(alphasOf(s)); !saved {
			break
		}
		alphas, err := f.Float64(alphasOf(s))
		if err != nil {
			return err
		}
		t.alphas = append(t.alphas, alphas)
	}
	if t.Zscore, err = readZscore(f); err != nil {
		return err
	}
	if err := t.together("resume at step %d", p.Step); err != nil {
		return err
	}
	// Last, so that an error before it leaves everything as it was.
	return run.Rewind(*p, t.Study.Experiment.Train.Epochs, len(t.Order))
}

// readZscore reads the statistics of features by story from a checkpoint.
func readZscore(f *ckpt.File) (map[string]design.ZScore, error) {
	out := map[string]design.ZScore{}
	for name := range f.Tensors() {
		story, isMean := strings.CutSuffix(strings.TrimPrefix(name.Name, "zscore."), ".mean")
		if !isMean || !strings.HasPrefix(name.Name, "zscore.") {
			continue
		}
		mean, err := f.Float64(name.Name)
		if err != nil {
			return nil, err
		}
		sd, err := f.Float64("zscore." + story + ".sd")
		if err != nil {
			return nil, err
		}
		out[story] = design.ZScore{Mean: mean, SD: sd}
	}
	return out, nil
}

// warnIfOther notes that a resumed run continues under other conditions.
func (t *Trainer) warnIfOther(what, then, now string) {
	if then != now {
		t.Study.Options.Progress(progress.Event{Phase: progress.Warning,
			Note: fmt.Sprintf("begun with %s %s, going on with %s: last bits may differ", what, then, now)})
	}
}

// restore reads weights and, if requested, the state of the optimizer from the checkpoint of a step.
func (t *Trainer) restore(ctx context.Context, run *rundir.Run, step int, f *ckpt.File, optimizer bool) error {
	if err := t.restoreVoxels(ctx, run, step, optimizer); err != nil {
		return err
	}
	return t.Session.Train(ctx, 0, func(s *torch.Scope) error {
		for name, p := range t.Adam.Params() {
			v, err := rundir.ReadTensor(s, f, "weights."+name)
			if err != nil {
				return err
			}
			p.CopyFrom(v)
		}
		for i, p := range t.Study.Subjects {
			if !t.ridgeReadouts() || !t.whole() {
				break
			}
			if err := restoreStore(s, f, ridgePrefix(p), t.Readouts[i].Whole.Store); err != nil {
				return err
			}
		}
		if !optimizer {
			return nil
		}
		return t.Adam.SetState(func(name string) (*torch.Tensor,
			error) {
			return rundir.ReadTensor(s, f, "optimizer."+name)
		})
	})
}
