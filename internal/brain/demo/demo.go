package demo

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/internal/sim"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/speech/pretrained"
)

// Options configures the demo.
type Options struct {
	Seed     uint64
	Null     bool        // all subjects answer with noise
	Out      string      // the run directory
	Force    bool        // replace an existing Out that a demo wrote
	Progress func(Event) // may be nil

	Study brain.Options // of its experiments, which share a cache; its Progress is not called

	size   sim.Options // of the study; the zero value is that of the demo
	epochs int         // upper bound; 0: as in each arm
}

// arm is one way to tune.
type arm struct {
	name    string // of its run directory, and in the report
	subject string
	roi     []string
	loss    experiment.Loss
	epochs  int
}

// The arms of the study. Numbers of epochs are upper bounds: validation chooses among them, and the untuned model.
var arms = []arm{
	{"whole_cortex", sim.Listener, nil, "spatial", 5},
	{"auditory_cortex", sim.Listener, []string{sim.Auditory}, "temporal", 3},
	{"shuffled", sim.Shuffled, nil, "spatial", 5},
}

func (o Options) epochsOf(a arm) int {
	if o.epochs > 0 {
		return min(a.epochs, o.epochs)
	}
	return a.epochs
}

// Run makes the study, tunes every arm and scores them all on the listener's true responses.
func Run(ctx context.Context, opt Options) (*Report, error) {
	if opt.Progress == nil {
		opt.Progress = func(Event) {}
	}
	if err := opt.clear(); err != nil {
		return nil, err
	}
	d := &demo{opt: opt}
	defer d.close()
	for _, step := range []func(context.Context) error{d.open, d.tune, d.controls, d.probes} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	if err := writePlaces(opt.Out, d.sim.Subject(sim.Listener).ROI); err != nil {
		return nil, err
	}
	return &d.report, d.report.write(opt.Out)
}

// marker is the file that marks a demo's directory.
const marker = "demo.json"

// clear removes an earlier run directory.
func (o Options) clear() error {
	entries, err := os.ReadDir(o.Out)
	switch {
	case os.IsNotExist(err), err == nil && len(entries) == 0:
		return nil
	case err != nil:
		return fault.Wrap(fault.IO, "demo", o.Out, err)
	case !o.Force:
		return fault.New(fault.Exists, "demo", o.Out,
			"is there already").WithHint("choose another Out, or set Force to replace it")
	}
	if _, err := os.Stat(filepath.Join(o.Out, marker)); err != nil {
		return fault.New(fault.Exists, "demo", o.Out,
			"was not made by a demo, so it is not replaced").WithHint("choose another Out")
	}
	if err := os.RemoveAll(o.Out); err != nil {
		return fault.Wrap(fault.IO, "demo", o.Out, err)
	}
	return nil
}

// demo is a run in progress.
type demo struct {
	opt      Options
	sim      *sim.Study
	model    speech.Encoder
	study    *study.Study // all subjects, for scores
	baseline *evaluate.Baseline
	report   Report
	meter    *meter
	tuned    map[string]*study.Tuned
}

func (d *demo) close() {
	for _, t := range d.tuned {
		t.Close()
	}
	if d.study != nil {
		d.study.Close()
	}
	if d.model != nil {
		d.model.Close()
	}
}

// open simulates the study and scores the untuned model.
func (d *demo) open(ctx context.Context) (err error) {
	d.opt.Progress(Event{Arm: "simulate"})
	size := d.opt.size
	size.Seed, size.Null = d.opt.Seed, d.opt.Null
	if d.sim, err = sim.New(size); err != nil {
		return err
	}
	d.meter = newMeter(d.opt, len(d.sim.TuneStories), len(d.sim.ValStories), len(d.sim.TestStories),
		len(d.sim.ProbeStories))
	if err := os.MkdirAll(d.opt.Out, fs.FileMode(0o755)); err != nil {
		return fault.Wrap(fault.IO, "demo", d.opt.Out, err)
	}
	if err := os.WriteFile(filepath.Join(d.opt.Out, marker), []byte("{}\n"), 0o644); err != nil {
		return fault.Wrap(fault.IO, "demo", d.opt.Out, err)
	}
	path := d.modelPath()
	if err := sim.WriteNano(path); err != nil {
		return err
	}
	if d.model, err = pretrained.Open(ctx, path, speech.Options{}); err != nil {
		return err
	}
	exp := d.experiment(arm{name: "scores", loss: "spatial"})
	exp.Data.Subjects = []string{sim.Listener, sim.Related, sim.Unrelated}
	opened := d.opt.Study
	opened.Progress = d.meter.watch("base")
	if d.study, err = study.New(ctx, exp, d.sim.Dataset, d.model, study.Options(opened)); err != nil {
		return err
	}
	if d.baseline, err = evaluate.NewBaseline(ctx, d.study); err != nil {
		return err
	}
	d.report = Report{Schema: 1, Seed: d.opt.Seed, Null: d.opt.Null}
	return nil
}

func (d *demo) modelPath() string { return filepath.Join(d.opt.Out, "model") }

// experiment returns the experiment of an arm. One vector for each TR: windows of 2 s that do not
// overlap, the mean of their frames.
func (d *demo) experiment(a arm) *experiment.Experiment {
	e := experiment.Default()
	e.Model = experiment.Model{Path: d.modelPath(), Layer: 3, WindowSeconds: sim.TR, StrideSeconds: sim.TR,
		Extraction: experiment.ExtractWindows, ChunkSeconds: 32, Pooling: experiment.PoolMean,
		Normalise: experiment.NormaliseStory, Downsample: experiment.DownsampleAverage}
	e.Adapter.R, e.Adapter.Alpha = 8, 16
	e.Data.Path, e.Data.Subjects, e.Data.ROI, e.Data.Trim = "simulated", []string{a.subject}, a.roi, [2]int{}
	e.Data.Train, e.Data.Val, e.Data.Test = d.sim.TuneStories, d.sim.ValStories, d.sim.TestStories
	e.Readout.Bottleneck = 64
	e.Train.Loss, e.Train.Epochs, e.Train.BlockRows = a.loss, d.opt.epochsOf(a), d.sim.Options.Rows
	e.Train.LR, e.Train.ReadoutLR, e.Train.Seed = 2e-3, 2e-3, d.opt.Seed
	e.Eval.ChunkRows, e.Eval.Boots = d.sim.Options.Rows, 4
	e.Device = "cpu"
	e.Out = filepath.Join(d.opt.Out, a.name)
	e.MarkSet()
	return e
}

// tune runs every arm and scores it.
func (d *demo) tune(ctx context.Context) error {
	d.tuned = map[string]*study.Tuned{}
	for _, a := range arms {
		s, err := d.study.Vary(ctx, d.experiment(a))
		if err != nil {
			return err
		}
		s.OnProgress(d.meter.watch(a.name))
		run, err := s.Begin(ctx)
		if err != nil {
			return err
		}
		p, err := tune.Fit(ctx, s, run)
		run.Close()
		if err != nil {
			return err
		}
		t, err := d.study.LoadTuned(ctx, run)
		if err != nil {
			return err
		}
		d.tuned[a.name] = t
		e, err := d.baseline.Compare(ctx, t)
		if err != nil {
			return err
		}
		if t.Untuned { // its features are those of the untuned model, and are not read again
			d.meter.passed(a.name, len(d.sim.TuneStories)+len(d.sim.TestStories))
		}
		if err := d.score(ctx, a.name, e, p); err != nil {
			return err
		}
		if err := e.Write(ctx, filepath.Join(run.Dir, "eval")); err != nil {
			return err
		}
	}
	return nil
}

// score adds an arm's scores of the listener to the report, and for the whole cortex those of the other subjects.
func (d *demo) score(ctx context.Context, name string, e *evaluate.Evaluation, p *rundir.Progress) error {
	test, err := e.Scores(ctx, sim.Listener)
	if err != nil {
		return err
	}
	d.report.arm(name, Arm{Test: test, Epochs: p.Epochs, Chosen: p.Epochs[p.Best].Epoch})
	if name != "whole_cortex" {
		return nil
	}
	for _, subject := range []string{sim.Related, sim.Unrelated} {
		s, err := e.Scores(ctx, subject)
		if err != nil {
			return err
		}
		d.report.transfer(subject, Transfer{Base: s.Base.MeanR, Tuned: s.Tuned.MeanR, CI95: s.Delta.CI95, Test: s})
	}
	return nil
}
