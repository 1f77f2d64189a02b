package plan

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/internal/study"
	"github.com/brainwavlm/bwlm/brain/internal/tune"
	"github.com/brainwavlm/bwlm/brain/internal/windows"
	"github.com/brainwavlm/bwlm/brain/loss"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/brain/readout"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
	"github.com/brainwavlm/bwlm/wavlm"
)

// StepOptions say how large a measured tuning step is.
type StepOptions struct {
	Windows      int          // every 8 make one row
	Seconds      float64      // of a window; 0: 4
	ChunkSeconds float64      // seconds of the clips that they are read from, one every .25 s; 0: each goes through the model by itself
	Voxels       int          // that each readout predicts
	Subjects     int          // with a readout each; 0: 1
	Steps        int          // measured, after one that is not
	Device       torch.Device // where it runs
	Compute      torch.DType  // in which linear layers multiply
	Config       wavlm.Config // the architecture; the zero value is WavLM Base

	product int // width of the product that stands for the peak; 0: large enough
}

// StepTimes is what a bench of the tuning step found, in seconds.
type StepTimes struct {
	Fill  float64   // frozen layers over all windows, once: training caches the result
	Steps []float64 // each step, in order
	Loss  float64   // of the last step
	Work  FLOPs     // of one step
	Peak  float64   // floating-point operations a second of a large product of the same type
	Bytes int64     // that tensors took at most on a device that is not the CPU, before large products were measured
}

// PeakShare is the rate of the median step as a share of the rate of a large product.
func (t *StepTimes) PeakShare() float64 { return t.Work.Total() / t.Median() / t.Peak }

// Median is the median step; of an even number the upper of the two in the middle.
func (t *StepTimes) Median() float64 {
	return slices.Sorted(slices.Values(t.Steps))[len(t.Steps)/2]
}

// Min is the fastest step.
func (t *StepTimes) Min() float64 { return slices.Min(t.Steps) }

const (
	benchSeconds = 4 // of a window
	windowsOfRow = 8 // 2 s of windows every .25 s

	maxBenchSeconds = 3600
)

// BenchStep measures the step that Fit repeats, at the settings of the authors' release: hidden state 9, LoRA of rank
// 4 on q, k and v below it, the first frame of each window, a readout with a bottleneck of 100, the spatial loss, Adam.
// Weights, audio and responses are random, since speed does not depend on them. Two things of Fit are left out, being
// nothing beside the rest: a row is the mean of its windows instead of their Lanczos sum, and there are no delays.
func BenchStep(ctx context.Context, opt StepOptions) (*StepTimes, error) {
	opening := torch.Part(ctx, progress.PhaseOpening)
	b, err := newStepBench(ctx, opt)
	opening()
	if err != nil {
		return nil, err
	}
	defer b.close()
	out := &StepTimes{Work: b.work()}
	if out.Fill, err = secondsOn(opt.Device, func() error { return b.fill(ctx) }); err != nil {
		return nil, err
	}
	for i := range opt.Steps + 1 {
		took, err := secondsOn(opt.Device, func() error { out.Loss, err = b.step(ctx, uint64(i)); return err })
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out.Steps = append(out.Steps, took)
		}
	}
	out.Bytes = opt.Device.PeakMemory()
	for range 2 { // others may use the machine the first time; last, since its operands are large
		rate, err := b.peak(ctx)
		if err != nil {
			return nil, err
		}
		out.Peak = max(out.Peak, rate)
	}
	return out, nil
}

// work counts what a step computes.
func (b *stepBench) work() FLOPs {
	opt := b.opt
	var clips, read []int
	for _, run := range b.runs() {
		for _, c := range b.audio.Clips[run.Clips.From:run.Clips.To] {
			frames := opt.Config.Frames(c.Samples())
			clips, read = append(clips, frames), append(read, len(b.reader.LastFrames(b.audio, run)))
		}
	}
	return stepWork(opt.Config, stepShape{clips: clips, read: read, depth: b.reader.CacheDepth, layer: b.layer, rank: b.lora.R, adapted: len(b.base.Targets(speech.TargetsAuto)),
		rows: opt.Windows / windowsOfRow, bottleneck: b.bottleneck, voxels: opt.Voxels, people: opt.Subjects})
}

// samples are those of a window.
func (b *stepBench) samples() int { return int(b.opt.Seconds * dataset.SampleRate) }

func seconds(do func() error) (float64, error) {
	start := time.Now()
	err := do()
	return time.Since(start).Seconds(), err
}

// secondsOn is seconds until the device is done with it, and not with what was begun before.
func secondsOn(d torch.Device, do func() error) (float64, error) {
	if err := d.Wait(); err != nil {
		return 0, err
	}
	return seconds(func() error {
		if err := do(); err != nil {
			return err
		}
		return d.Wait()
	})
}

// stepBench is what a step needs.
type stepBench struct {
	opt        StepOptions
	layer      int
	lora       experiment.Adapter
	bottleneck int
	base       *wavlm.Model
	adapter    *peft.Adapter
	reader     *windows.Reader
	audio      *windows.Stimulus
	readouts   []*readout.Readout // by person
	want       []float32          // (rows, voxels), the same of all people
	adam       *nn.Adam
	session    nn.Session
}

func newStepBench(ctx context.Context, opt StepOptions) (*stepBench, error) {
	exp := experiment.Default()
	opt.Seconds, opt.Subjects = cmp.Or(opt.Seconds, benchSeconds), cmp.Or(opt.Subjects, 1)
	exp.Model.Pooling, exp.Model.WindowSeconds = "first", opt.Seconds
	if exp.Model.ChunkSeconds = opt.ChunkSeconds; opt.ChunkSeconds > 0 {
		exp.Model.Extraction = experiment.ExtractChunks
	}
	if opt.Config.Layers == 0 {
		opt.Config = wavlm.Default(wavlm.WavLM)
	}
	exp.Model.Layer = min(exp.Model.Layer, opt.Config.Layers)
	switch {
	case opt.Windows < windowsOfRow || opt.Windows%windowsOfRow != 0:
		return nil, fault.New(fault.Usage, "bench step", "windows", "%d is no multiple of %d, of which each row is made", opt.Windows, windowsOfRow)
	case opt.Voxels < loss.MinSpatialTargets:
		return nil, fault.New(fault.Usage, "bench step", "voxels", "%d, the spatial loss needs at least %d", opt.Voxels, loss.MinSpatialTargets)
	case opt.Subjects < 1:
		return nil, fault.New(fault.Usage, "bench step", "subjects", "%d, want at least 1", opt.Subjects)
	case opt.Config.Frames(int(min(opt.Seconds, maxBenchSeconds)*dataset.SampleRate)) < 1 || opt.Seconds > maxBenchSeconds:
		return nil, fault.New(fault.Usage, "bench step", "seconds", "%g of a window, want enough for a frame (%g) and at most %d",
			opt.Seconds, float64(opt.Config.MinSamples())/dataset.SampleRate, maxBenchSeconds)
	case opt.ChunkSeconds != 0 && !(opt.ChunkSeconds >= 2*opt.Seconds && opt.ChunkSeconds <= 3600):
		return nil, fault.New(fault.Usage, "bench step", "chunk", "%g s, want at least two windows of %g s", opt.ChunkSeconds, opt.Seconds)
	case opt.Steps < 1:
		return nil, fault.New(fault.Usage, "bench step", "steps", "%d, want at least 1", opt.Steps)
	}
	b := &stepBench{opt: opt, layer: exp.Model.Layer, lora: exp.Adapter, bottleneck: exp.Readout.Bottleneck}
	if err := b.prepare(ctx, exp); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

// prepare makes the model, its adapter, and what comes after it.
func (b *stepBench) prepare(ctx context.Context, exp *experiment.Experiment) (err error) {
	opt := b.opt
	if b.base, err = wavlm.Fresh(ctx, opt.Config, speech.Options{Device: opt.Device, Compute: opt.Compute, Frozen: true}); err != nil {
		return err
	}
	if b.adapter, err = peft.New(study.AdapterConfig(exp, b.base, tune.SeedAdapter)); err != nil {
		return err
	}
	view, err := b.base.WithAdapter(ctx, b.adapter)
	if err != nil {
		return err
	}
	shared := view.FrozenDepth(view.Adapted()...)
	b.reader = &windows.Reader{Model: view, Pooling: exp.Model.Pooling, Unit: windows.UnitClips(exp.Model, exp.Train.UnitWindows), Shared: shared, CacheDepth: shared,
		Frozen: &windows.Frozen{Model: b.base, Cache: windows.NewCache(1<<40, nil, nil)}}
	b.session = *view.Session()
	return b.prepareData(ctx, exp)
}

// prepareData makes the readouts, the optimizer, the audio and the responses.
func (b *stepBench) prepareData(ctx context.Context, exp *experiment.Experiment) error {
	rows := b.opt.Windows / windowsOfRow
	mode := torch.Mode{Seed: tune.SeedReadout, Device: b.session.Device}
	return torch.Do(ctx, mode, func(s *torch.Scope) error {
		readouts := nn.Group{LR: exp.Train.ReadoutLR}
		b.session.Stores = slices.Clip(b.session.Stores)
		for i := range b.opt.Subjects {
			store := nn.NewStore()
			r, err := readout.New(s, store, b.opt.Config.Hidden, b.bottleneck, b.opt.Voxels)
			b.readouts = append(b.readouts, r)
			if err != nil {
				return err
			}
			b.session.Stores = append(b.session.Stores, store)
			readouts = readouts.With(fmt.Sprintf("readout.%d.", i), store, nil)
		}
		adapter := nn.Group{LR: exp.Train.LR}.With("adapter.", b.adapter.Store(), nil)
		b.adam = nn.NewAdam(s, nn.AdamOptions{}, adapter, readouts)
		length := b.samples()
		apart := length // of windows that have nothing in common
		if b.opt.ChunkSeconds > 0 {
			apart = windows.SamplesOf(exp.Model.StrideSeconds)
		}
		b.audio = &windows.Stimulus{Name: "noise", Samples: s.Normal(0, 1, (b.opt.Windows-1)*apart+length).Float32s()}
		for i := range b.opt.Windows {
			b.audio.Windows = append(b.audio.Windows, design.Window{Start: i * apart, End: i*apart + length})
		}
		b.audio.Own(exp.Model)
		b.want = s.Normal(0, 1, rows*b.opt.Voxels).Float32s()
		return nil
	})
}

func (b *stepBench) close() {
	if b.adam != nil {
		b.adam.Close()
	}
	for _, r := range b.readouts {
		r.Close()
	}
	if b.reader != nil {
		b.reader.Frozen.Cache.Close()
	}
	if b.adapter != nil {
		b.adapter.Close()
	}
	if b.base != nil {
		b.base.Close()
	}
}

// fill computes and caches the activations of frozen layers.
func (b *stepBench) fill(ctx context.Context) error {
	defer torch.Part(ctx, progress.PhaseFill)()
	for _, run := range b.runs() {
		if err := b.reader.Fill(ctx, b.audio, run, []int{b.layer}); err != nil {
			return err
		}
	}
	return nil
}

// runs are all windows; the last clip of extraction by chunks is shorter than the others.
func (b *stepBench) runs() []windows.Unit { return b.reader.Units(b.audio, 0, b.opt.Windows) }

// step is one optimizer step.
func (b *stepBench) step(ctx context.Context, seed uint64) (loss float64, err error) {
	defer torch.Part(ctx, progress.PhaseStep)()
	err = b.session.Train(ctx, seed, func(s *torch.Scope) error {
		var xs []*torch.Tensor
		for _, run := range b.runs() {
			xs = append(xs, b.reader.Vectors(s, b.audio, run, []int{b.layer})[0].ToType(torch.Float32))
		}
		l := b.loss(s, torch.Cat(0, xs...).Reshape(-1, windowsOfRow, b.opt.Config.Hidden))
		l.Backward()
		loss = l.Item()
		if err := b.check(); err != nil {
			return err
		}
		defer torch.Part(ctx, progress.PartOptimizer)()
		b.adam.Step()
		b.adam.ClearGrad()
		return nil
	})
	return loss, err
}

// loss is the mean over people of windows' vectors x (rows, 8, E).
func (b *stepBench) loss(s *torch.Scope, x *torch.Tensor) *torch.Tensor {
	defer s.Part(progress.PartLoss)()
	total := s.Zeros()
	x = x.Mean(1) // (rows, E)
	for _, r := range b.readouts {
		data := torch.Part(s.Context(), progress.PartData)
		want := s.FromFloat32(b.want, x.Dim(0), b.opt.Voxels)
		data()
		total = total.Add(loss.Spatial(r.Forward(x), want, nil))
	}
	return total.MulScalar(1 / float64(len(b.readouts)))
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

// peak measures how many floating-point operations a second the device does in a linear layer so large that nothing else
// counts, in the compute type: the best of several.
func (b *stepBench) peak(ctx context.Context) (rate float64, err error) {
	defer torch.Part(ctx, progress.PhasePeak)()
	n, times := 3072, 6
	if b.opt.Device != torch.CPU {
		n, times = 8192, 20
	}
	n = cmp.Or(b.opt.product, n)
	err = torch.Do(ctx, torch.Mode{Device: b.opt.Device}, func(s *torch.Scope) error {
		draw := func() *torch.Tensor { return s.Normal(0, 1, n, n).ToType(b.opt.Compute) }
		x, w := draw(), draw()
		for range times {
			took, err := secondsOn(b.opt.Device, func() error {
				x.Scoped(func(x *torch.Tensor) *torch.Tensor { return x.Linear(w, nil).Narrow(0, 0, 1) })
				return nil
			})
			if err != nil {
				return err
			}
			rate = max(rate, 2*float64(n)*float64(n)*float64(n)/took)
		}
		return nil
	})
	return rate, err
}
