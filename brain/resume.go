package brain

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/ckpt"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
)

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
	t.zscore = map[string]design.ZScore{}
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
		t.zscore[story] = design.ZScore{Mean: mean, SD: sd}
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
