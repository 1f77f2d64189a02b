package brain

import (
	"context"
	"slices"
	"time"

	"github.com/brainwavlm/bwlm/brain/align"
	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
	"github.com/brainwavlm/bwlm/wavlm"
)

// StepOptions say how large a measured tuning step is.
type StepOptions struct {
	Windows int          // of 4 s; every 8 make one row
	Block   float64      // seconds of the clips that they are read from, one every .25 s; 0: each goes through the model by itself
	Voxels  int          // that the readout predicts
	Steps   int          // measured, after one that is not
	Device  torch.Device // where it runs
	Compute torch.DType  // in which linear layers multiply
	Config  wavlm.Config // the architecture; the zero value is WavLM Base
}

// StepTimes is what a bench of the tuning step found, in seconds.
type StepTimes struct {
	Fill  float64   // what no tuning changes over all windows, once: training keeps it
	Steps []float64 // each step, in order
	Loss  float64   // of the last step
}

// Median is the median step; of an even number the upper of the two in the middle.
func (t *StepTimes) Median() float64 {
	return slices.Sorted(slices.Values(t.Steps))[len(t.Steps)/2]
}

// Min is the fastest step.
func (t *StepTimes) Min() float64 { return slices.Min(t.Steps) }

const (
	benchSeconds = 4 // of a window
	windowsOfRow = 8 // 2 s of windows every .25 s
)

// BenchStep measures the step that Fit repeats, at the settings of the authors' release: hidden state 9, LoRA of rank
// 4 on q, k and v below it, the first frame of each window, a readout with a bottleneck of 100, the spatial loss, Adam.
// Weights, audio and responses are random, since speed does not depend on them. Two things of Fit are left out, being
// nothing beside the rest: a row is the mean of its windows instead of their Lanczos sum, and there are no delays.
func BenchStep(ctx context.Context, opt StepOptions) (*StepTimes, error) {
	b, err := newStepBench(ctx, opt)
	if err != nil {
		return nil, err
	}
	defer b.close()
	out := &StepTimes{}
	if out.Fill, err = seconds(func() error { return b.fill(ctx) }); err != nil {
		return nil, err
	}
	for i := range opt.Steps + 1 {
		took, err := seconds(func() error { out.Loss, err = b.step(ctx, uint64(i)); return err })
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out.Steps = append(out.Steps, took)
		}
	}
	return out, nil
}

func seconds(do func() error) (float64, error) {
	start := time.Now()
	err := do()
	return time.Since(start).Seconds(), err
}

// stepBench is what a step needs.
type stepBench struct {
	opt     StepOptions
	layer   int
	base    *wavlm.Model
	adapter *peft.Adapter
	reader  *reader
	audio   *stimulus
	readout *Readout
	want    []float32 // (rows, voxels)
	adam    *nn.Adam
	session nn.Session
}

func newStepBench(ctx context.Context, opt StepOptions) (*stepBench, error) {
	exp := experiment.Default()
	exp.Model.Token, exp.Model.WindowSeconds = "first", benchSeconds
	if exp.Model.BlockSeconds = opt.Block; opt.Block > 0 {
		exp.Model.Mode = "block"
	}
	if opt.Config.Layers == 0 {
		opt.Config = wavlm.Default(wavlm.WavLM)
	}
	exp.Model.Layer = min(exp.Model.Layer, opt.Config.Layers)
	switch {
	case opt.Windows < windowsOfRow || opt.Windows%windowsOfRow != 0:
		return nil, fault.New(fault.Usage, "bench step", "windows", "%d is no multiple of %d, of which each row is made", opt.Windows, windowsOfRow)
	case opt.Voxels < MinSpatialTargets:
		return nil, fault.New(fault.Usage, "bench step", "voxels", "%d, the spatial loss needs at least %d", opt.Voxels, MinSpatialTargets)
	case opt.Block != 0 && !(opt.Block >= 2*benchSeconds && opt.Block <= 3600):
		return nil, fault.New(fault.Usage, "bench step", "block", "%g s, want at least two windows of %d s", opt.Block, benchSeconds)
	case opt.Steps < 1:
		return nil, fault.New(fault.Usage, "bench step", "steps", "%d, want at least 1", opt.Steps)
	}
	b := &stepBench{opt: opt, layer: exp.Model.Layer}
	if err := b.prepare(ctx, exp); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

// prepare makes the model, its adapter, and what comes after it.
func (b *stepBench) prepare(ctx context.Context, exp *experiment.Experiment) (err error) {
	opt := b.opt
	if b.base, err = wavlm.Fresh(ctx, opt.Config, wavlm.Options{Device: opt.Device, Compute: opt.Compute}); err != nil {
		return err
	}
	if b.adapter, err = peft.New(adapterConfig(exp, opt.Config)); err != nil {
		return err
	}
	view, err := adapt(ctx, b.base, seedAdapter, b.adapter)
	if err != nil {
		return err
	}
	b.reader = &reader{model: view, token: exp.Model.Token, batch: opt.Windows, shared: view.SharedStates(), keep: view.SharedStates(),
		frozen: &frozen{model: b.base, cache: newCache(1<<40, nil, nil)}}
	b.session = *view.Session()
	return b.prepareData(ctx, exp)
}

// prepareData makes the readout, the optimizer, the audio and the responses.
func (b *stepBench) prepareData(ctx context.Context, exp *experiment.Experiment) error {
	store := nn.NewStore()
	b.session.Stores = append(slices.Clip(b.session.Stores), store)
	rows := b.opt.Windows / windowsOfRow
	mode := torch.Mode{Seed: seedReadout, Device: b.session.Device}
	return torch.Do(ctx, mode, func(s *torch.Scope) (err error) {
		b.readout, err = newReadout(s, store, b.opt.Config.Hidden, exp.Readout.Bottleneck, b.opt.Voxels)
		if err != nil {
			return err
		}
		adapter := nn.Group{LR: exp.Train.LR}.With("adapter.", b.adapter.Store(), nil)
		readout := nn.Group{LR: exp.Train.ReadoutLR}.With("readout.", store, nil)
		b.adam = nn.NewAdam(s, nn.AdamOptions{}, adapter, readout)
		const length = benchSeconds * dataset.SampleRate
		apart := length // of windows that have nothing in common
		if b.opt.Block > 0 {
			apart = samplesOf(exp.Model.StrideSeconds)
		}
		b.audio = &stimulus{name: "noise", samples: s.Normal(0, 1, (b.opt.Windows-1)*apart+length).Float32s()}
		for i := range b.opt.Windows {
			b.audio.windows = append(b.audio.windows, align.Window{Start: i * apart, End: i*apart + length})
		}
		b.audio.own(exp.Model)
		b.want = s.Normal(0, 1, rows*b.opt.Voxels).Float32s()
		return nil
	})
}

func (b *stepBench) close() {
	if b.adam != nil {
		b.adam.Close()
	}
	if b.readout != nil {
		b.readout.store.Close()
	}
	if b.reader != nil {
		b.reader.frozen.cache.close()
	}
	if b.adapter != nil {
		b.adapter.Close()
	}
	if b.base != nil {
		b.base.Close()
	}
}

// fill computes and keeps what no tuning changes.
func (b *stepBench) fill(ctx context.Context) error {
	for _, run := range b.runs() {
		if err := b.reader.fill(ctx, b.audio, run, []int{b.layer}); err != nil {
			return err
		}
	}
	return nil
}

// runs are all windows; the last clip of mode block is shorter than the others.
func (b *stepBench) runs() []run { return b.reader.runs(b.audio, 0, b.opt.Windows) }

// step is one optimizer step.
func (b *stepBench) step(ctx context.Context, seed uint64) (loss float64, err error) {
	rows := b.opt.Windows / windowsOfRow
	err = b.session.Train(ctx, seed, func(s *torch.Scope) error {
		var xs []*torch.Tensor
		for _, run := range b.runs() {
			xs = append(xs, b.reader.vectors(s, b.audio, run, []int{b.layer})[0].To(torch.Float32))
		}
		x := torch.Cat(0, xs...)                      // (windows, E)
		x = x.Reshape(rows, windowsOfRow, -1).Mean(1) // (rows, E)
		l := SpatialLoss(b.readout.Forward(x), s.FromFloat32(b.want, rows, b.opt.Voxels), nil)
		l.Backward()
		loss = l.Item()
		if err := b.check(); err != nil {
			return err
		}
		b.adam.Step()
		b.adam.ClearGrad()
		return nil
	})
	return loss, err
}

// check makes sure that gradients went where they are meant to go: to all that is tuned, and to nothing else.
func (b *stepBench) check() error {
	for name, p := range b.base.Store().Params() {
		if p.HasGrad() {
			return fault.New(fault.Internal, "bench step", name, "a frozen weight got a gradient")
		}
	}
	for name, p := range b.adam.Params() {
		if !p.HasGrad() {
			return fault.New(fault.Internal, "bench step", name, "got no gradient")
		}
	}
	return nil
}
