package stepbench

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/loss"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/wavlm"
)

const (
	benchSeconds = 4 // of a window
	benchTR      = 2 // seconds
	windowsOfRow = 8 // of a TR, one every .25 s

	maxBenchSeconds = 3600
	benchCache      = 1 << 40
)

// bench is a study of noise of which a step takes one block, and its trainer.
type bench struct {
	opt     Options
	study   *study.Study
	trainer *tune.Trainer
}

func newBench(ctx context.Context, opt Options) (*bench, error) {
	opt.Seconds, opt.Subjects = cmp.Or(opt.Seconds, benchSeconds), cmp.Or(opt.Subjects, 1)
	if opt.Config.Layers == 0 {
		opt.Config = wavlm.Default(wavlm.WavLM)
	}
	if err := opt.check(); err != nil {
		return nil, err
	}
	b := &bench{opt: opt}
	if err := b.open(ctx); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (opt Options) check() error {
	bad := func(what, why string, args ...any) error {
		return fault.New(fault.Usage, "bench step", what, why, args...)
	}
	switch {
	case opt.Windows < windowsOfRow || opt.Windows%windowsOfRow != 0:
		return bad("windows", "%d is no multiple of %d, of which each row is made", opt.Windows, windowsOfRow)
	case opt.Voxels < loss.MinSpatialTargets:
		return bad("voxels", "%d, the spatial loss needs at least %d", opt.Voxels, loss.MinSpatialTargets)
	case opt.Subjects < 1:
		return bad("subjects", "%d, want at least 1", opt.Subjects)
	case opt.Config.Frames(int(min(opt.Seconds, maxBenchSeconds)*dataset.SampleRate)) < 1 ||
		opt.Seconds > maxBenchSeconds:
		return bad("seconds", "%g of a window, want enough for a frame (%g) and at most %d", opt.Seconds,
			float64(opt.Config.MinSamples())/dataset.SampleRate, maxBenchSeconds)
	case opt.ChunkSeconds != 0 && !(opt.ChunkSeconds >= 2*opt.Seconds && opt.ChunkSeconds <= maxBenchSeconds):
		return bad("chunk", "%g s, want at least two windows of %g s", opt.ChunkSeconds, opt.Seconds)
	case opt.Steps < 1:
		return bad("steps", "%d, want at least 1", opt.Steps)
	}
	return nil
}

// open makes the model, the study and its trainer.
func (b *bench) open(ctx context.Context) error {
	exp := b.experiment()
	data, err := dataset.New(b.data())
	if err != nil {
		return err
	}
	model, err := wavlm.Fresh(ctx, b.opt.Config, speech.Options{Device: b.opt.Device, Compute: b.opt.Compute,
		Frozen: true})
	if err != nil {
		return err
	}
	if b.study, err = study.New(ctx, exp, data, model, study.Options{CacheBytes: benchCache}); err != nil {
		model.Close()
		return err
	}
	b.study.OwnsModel = true
	if b.trainer, err = tune.NewTrainer(ctx, b.study); err == nil {
		b.trainer.UnitStatistics()
	}
	return err
}

func (b *bench) close() {
	if b.trainer != nil {
		b.trainer.Close()
	}
	if b.study != nil {
		b.study.Close()
	}
}

// rows of a story: those with windows, and one more. With a delay of one TR the block of rows 1 to the last sees all
// windows, through its context row.
func (b *bench) rows() int { return b.opt.Windows/windowsOfRow + 1 }

func (b *bench) experiment() *experiment.Experiment {
	exp := experiment.Default()
	exp.Model.Pooling, exp.Model.Downsample = experiment.PoolFirst, experiment.DownsampleAverage
	exp.Model.WindowSeconds, exp.Model.StrideSeconds = b.opt.Seconds, float64(benchTR)/windowsOfRow
	exp.Model.Layer = min(exp.Model.Layer, b.opt.Config.Layers)
	if exp.Model.ChunkSeconds = b.opt.ChunkSeconds; b.opt.ChunkSeconds > 0 {
		exp.Model.Extraction = experiment.ExtractChunks
	}
	// Row 0 has no windows before it and is a block of its own. With it the voxels vary, even if a step has one row.
	exp.Data.Train = []string{fmt.Sprintf("train[1:%d]", b.rows()), "train[0:1]"}
	exp.Data.Subjects = []string{"all"}
	exp.Data.Val, exp.Data.Test, exp.Data.Trim = []string{"val"}, []string{"test"}, [2]int{}
	exp.Readout.DelaysSeconds = []float64{benchTR}
	exp.Train.Loss, exp.Train.BlockRows, exp.Train.ContextRows = experiment.LossSpatial, b.rows()-1, 1
	return exp
}

// data is noise: three stories of as many windows as a step has, and responses that overlap, each a value further.
// The first window ends within row 0, and each row has the windows that end in its TR.
func (b *bench) data() dataset.Spec {
	rng := rand.New(rand.NewPCG(1, 2))
	noise := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(rng.NormFloat64())
		}
		return x
	}
	const stride = float64(benchTR) / windowsOfRow
	spec := dataset.Spec{Name: "noise", TR: benchTR, RowTime: .5}
	length := b.opt.Seconds + float64(b.opt.Windows-1)*stride
	n, taken := b.rows()*b.opt.Voxels, 0
	responses := noise(n + 3*b.opt.Subjects)
	for _, name := range []string{"train", "val", "test"} {
		spec.Stories = append(spec.Stories, dataset.Story{Name: name, First: b.opt.Seconds - stride,
			Audio: dataset.Value(noise(int(length * dataset.SampleRate)))})
	}
	for i := range b.opt.Subjects {
		s := dataset.Subject{Name: fmt.Sprintf("subject-%d", i+1)}
		for _, story := range spec.Stories {
			s.Responses = append(s.Responses, dataset.Response{Story: story.Name, Matrix: dataset.Value(
				dataset.NewMatrix(b.rows(), b.opt.Voxels, responses[taken:][:n]))})
			taken++
		}
		spec.Subjects = append(spec.Subjects, s)
	}
	return spec
}
