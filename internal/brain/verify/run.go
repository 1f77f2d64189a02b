package verify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/internal/rundir"
)

const unknownEpochs = math.MaxInt

// runs verifies each run directory in a folder.
func (r *Report) runs(ctx context.Context, dir string) error {
	found, _ := filepath.Glob(filepath.Join(escape(dir), "*", rundir.ConfigFile)) // the pattern is well formed
	for _, config := range found {
		one := &Report{below: folder(filepath.Dir(config))}
		if err := one.run(ctx, filepath.Dir(config)); err != nil {
			return err
		}
		for _, p := range one.Parts {
			p.Name = filepath.Base(filepath.Dir(config)) + "/" + p.Name
			r.Parts = append(r.Parts, p)
		}
	}
	return nil
}

// run verifies a run directory.
func (r *Report) run(ctx context.Context, dir string) error {
	run := &rundir.Run{Dir: dir}
	if holder := run.Holder(); holder != "" {
		r.add(".", Note, "%s is working on it: what it writes now may look damaged", holder)
	}
	if err := rundir.CheckFiles(op, dir); err != nil {
		r.judge(".", err, "")
		return nil
	}
	exp, err := experiment.LoadRun(run.File(rundir.ConfigFile))
	epochs := unknownEpochs
	if err == nil {
		epochs = exp.Train.Epochs
	}
	r.judge(rundir.ConfigFile, err, "%d epochs", epochs)
	base, err := r.inputs(ctx, run)
	if err != nil {
		return err
	}
	p, err := r.checkpoints(run, epochs)
	if err != nil {
		return err
	}
	if p != nil {
		r.metrics(run, p)
	}
	done := p != nil && exp != nil && p.Epoch == epochs
	if p != nil && exp != nil && !done {
		r.add("ckpt", Note, "the training stands at epoch %d of %d: resume it", p.Epoch, epochs)
	}
	if err := r.products(ctx, run, exp, base, done); err != nil {
		return err
	}
	if err := r.scores(ctx, filepath.Join(dir, "eval"), "eval/"); err != nil {
		return err
	}
	left, err := run.Unfinished()
	for _, name := range left {
		r.add(name, Note, "left by a killed process; the next command that opens the run removes it")
	}
	return err
}

// inputs verifies manifest.json and compares the inputs with their hashes. It returns the identity of the base model.
func (r *Report) inputs(ctx context.Context, run *rundir.Run) (base string, err error) {
	var m results.Manifest
	path := run.File(rundir.ManifestOfRun)
	err = jsonfile.Read(op, path, &m)
	if err == nil {
		err = results.CheckSchema(path, m.Schema)
	}
	if err != nil {
		r.judge(rundir.ManifestOfRun, err, "")
		return "", nil
	}
	same, away := 0, []string{}
	for _, in := range m.Inputs {
		if err := context.Cause(ctx); err != nil {
			return "", err
		}
		switch err := rundir.SameInput(op, in); {
		case err == nil:
			same++
		case errors.Is(err, fs.ErrNotExist):
			away = append(away, in.Path)
		default:
			r.judge("input", err, "")
		}
	}
	r.add(rundir.ManifestOfRun, OK, "%d of %d inputs are as they were", same, len(m.Inputs))
	if len(away) > 0 {
		r.add(rundir.ManifestOfRun, Note, "%d inputs are not there to be compared, %s the first", len(away), away[0])
	}
	return m.Base, nil
}

// checkpoints verifies each checkpoint and returns where the newest good one stands.
func (r *Report) checkpoints(run *rundir.Run, epochs int) (*rundir.Progress, error) {
	steps, err := run.Steps()
	if err != nil {
		return nil, err
	}
	var newest *rundir.Progress
	var good []int
	for _, step := range steps {
		if p := r.step(run, step, fmt.Sprintf("ckpt/step-%06d", step), epochs); p != nil {
			newest, good = p, append(good, step)
		}
	}
	switch {
	case len(steps) == 0:
		r.add("ckpt", Note, "there is no checkpoint: the training has not begun")
	case newest != nil && !slices.Contains(steps, newest.BestStep):
		r.add("ckpt", Wrong, "epoch %d is the best so far, and its checkpoint (step %d) is not there", newest.Best,
			newest.BestStep)
	case newest != nil && !slices.Contains(good, newest.BestStep):
		r.add("ckpt", Wrong, "epoch %d is the best so far, and its checkpoint (step %d) is damaged", newest.Best,
			newest.BestStep)
	}
	return newest, nil
}

// step verifies one checkpoint; nil if it is wrong.
func (r *Report) step(run *rundir.Run, step int, name string, epochs int) *rundir.Progress {
	p, err := run.Verify(step, epochs)
	if err == nil {
		hash, noConfig := run.ConfigHash()
		if noConfig == nil && hash != p.Config {
			err = fault.New(fault.BadData, op, "", "is of another %s (SHA-256 %.12s…) than the run's (%.12s…)",
				rundir.ConfigFile, p.Config, hash)
		}
	}
	if err != nil {
		r.judge(name, err, "")
		return nil
	}
	r.add(name, OK, "epoch %d, block %d; best epoch %d", p.Epoch, p.Block, p.Best)
	return p
}

// metrics verifies metrics.jsonl.
func (r *Report) metrics(run *rundir.Run, p *rundir.Progress) {
	after, err := run.VerifyMetrics(p)
	r.judge("metrics.jsonl", err, "%d steps and %d epochs in whole lines", p.Step, len(p.Epochs))
	if after > 0 {
		r.add("metrics.jsonl", Note, "%d bytes were written after the newest checkpoint; resuming cuts them off", after)
	}
}

// products verifies the adapter or model, readouts and features that a training leaves.
func (r *Report) products(ctx context.Context, run *rundir.Run, exp *experiment.Experiment, base string,
	done bool) error {
	here, err := os.ReadDir(run.Dir)
	if err != nil {
		return fault.Wrap(fault.IO, op, run.Dir, err)
	}
	found := map[string]bool{}
	for _, e := range here {
		found[e.Name()] = e.IsDir()
	}
	want := map[string]bool{"readout": true}
	if exp != nil {
		want["adapter"] = exp.Train.Mode == experiment.TrainLoRA
		want["model"] = exp.Train.Mode == experiment.TrainFull
	}
	for _, name := range []string{"adapter", "model", "readout"} {
		if done && want[name] && !found[name] {
			r.add(name, Note, "is not there: the end of the training was interrupted, resume it")
		}
	}
	if found["adapter"] {
		if err := r.adapterIn(ctx, run.File("adapter"), "adapter/", base); err != nil {
			return err
		}
	}
	if found["model"] {
		r.file(ctx, "model", run.File("model"), ckpt.OpenModel)
	}
	for _, top := range []string{"readout", "calibration", "epochs", "features"} {
		err := filepath.WalkDir(run.File(top), func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".safetensors") {
				return err
			}
			name, err := filepath.Rel(run.Dir, path)
			if err == nil {
				r.file(ctx, name, path, ckpt.Open)
			}
			return err
		})
		if err != nil {
			return fault.Wrap(fault.IO, op, run.File(top), err)
		}
	}
	return nil
}
