package stepbench

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/internal/brain/phases"
	"github.com/brainwavlm/bwlm/internal/brain/sections"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/internal/stopwatch"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/wavlm"
)

// Options are the size of a measured tuning step.
type Options struct {
	Windows      int          // a multiple of 8, the windows of one row
	Seconds      float64      // of a window; 0: 4
	ChunkSeconds float64      // of the chunks that windows are read from; 0: each window is a pass of its own
	Voxels       int          // of each subject
	Subjects     int          // that share the step, each with a readout; 0: 1
	Steps        int          // measured after a warm-up step
	Device       torch.Device // where the step runs
	Compute      torch.DType  // type in which linear layers multiply
	Config       wavlm.Config // the architecture; the zero value is WavLM Base

	product int // width of the product that measures the peak rate; 0: large enough
}

// Times is what a benchmark of the tuning step measured, in seconds.
type Times struct {
	Fill  float64   // frozen layers over all windows, once: training caches the result
	Steps []float64 // each step, in order
	Loss  float64   // of the last step
	Work  FLOPs     // of one step
	Peak  float64   // floating-point operations a second of a large product of the same type
	Bytes int64     // most memory of tensors on a device that is not the CPU, before large products were measured
}

// PeakShare is the rate of the median step as a share of the rate of a large product.
func (t *Times) PeakShare() float64 { return t.Work.Total() / t.Median() / t.Peak }

// Median is the median step; of an even number the upper of the two in the middle.
func (t *Times) Median() float64 {
	return slices.Sorted(slices.Values(t.Steps))[len(t.Steps)/2]
}

// Min is the fastest step.
func (t *Times) Min() float64 { return slices.Min(t.Steps) }

// Run measures the optimizer step of Fit on noise, at the settings of the authors' release:
// hidden state 9, LoRA of rank 4 on q, k and v below it, the first frame of each window, a readout
// with a bottleneck of 100, the spatial loss, Adam. Weights, audio and responses are random, since
// speed does not depend on them. Each row is the mean of its eight windows, and has one delay.
func Run(ctx context.Context, opt Options) (*Times, error) {
	opening := torch.Part(ctx, phases.PhaseOpening)
	b, err := newBench(ctx, opt)
	opening()
	if err != nil {
		return nil, err
	}
	defer b.close()
	out := &Times{Work: b.work()}
	if out.Fill, err = stopwatch.On(opt.Device, func() error { return b.fill(ctx) }); err != nil {
		return nil, err
	}
	for i := range opt.Steps + 1 {
		took, err := stopwatch.On(opt.Device, func() error { out.Loss, err = b.step(ctx, uint64(i)); return err })
		if err != nil {
			return nil, err
		}
		if i > 0 {
			out.Steps = append(out.Steps, took)
		}
	}
	out.Bytes = opt.Device.PeakMemory()
	for range 2 { // other programs may use the machine the first time; last, since the operands are large
		rate, err := peakRate(ctx, opt)
		if err != nil {
			return nil, err
		}
		out.Peak = max(out.Peak, rate)
	}
	return out, nil
}

// fill computes and caches the activations of frozen layers.
func (b *bench) fill(ctx context.Context) error {
	defer torch.Part(ctx, phases.PhaseFill)()
	return b.trainer.FillBlock(ctx, b.block(), []int{b.layer()})
}

// step is one optimizer step.
func (b *bench) step(ctx context.Context, seed uint64) (loss float64, err error) {
	return b.trainer.Step(ctx, b.block(), seed)
}

// block has all rows that have windows before them.
func (b *bench) block() tune.Block { return b.trainer.Order[0] }

// layer is the hidden state that is read.
func (b *bench) layer() int { return b.trainer.Study.Experiment.Model.Layer }

// work counts what a step computes.
func (b *bench) work() FLOPs {
	stim, reader, exp := b.stimulus(), b.trainer.Reader, b.trainer.Study.Experiment
	read := b.windows()
	shape := stepShape{depth: reader.CacheDepth, layer: b.layer(), rank: exp.Adapter.R,
		adapted: len(b.trainer.Study.Model.Targets(speech.TargetsAuto)), windows: read.Len(),
		rows: b.block().To - b.block().From, context: exp.Train.ContextRows,
		bottleneck: exp.Readout.Bottleneck, voxels: b.opt.Voxels, subjects: b.opt.Subjects}
	for _, unit := range reader.Units(stim, read.From, read.To) {
		for _, c := range stim.Clips[unit.Clips.From:unit.Clips.To] {
			shape.clips = append(shape.clips, b.opt.Config.Frames(c.Samples()))
			shape.read = append(shape.read, len(reader.LastFrames(stim, unit)))
		}
	}
	return stepWork(b.opt.Config, shape)
}

// stimulus is the story of the training rows.
func (b *bench) stimulus() *windows.Stimulus { return b.trainer.Study.Stimuli[b.block().Story] }

// windows are those that the rows are made of. The shorter ones at the start of the story are not among them.
func (b *bench) windows() design.Rows {
	return sections.Of(b.stimulus().Tuning, b.block().From, b.block().To,
		b.trainer.Study.Experiment.Train.ContextRows).Vectors
}
