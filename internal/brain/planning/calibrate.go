package planning

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/internal/stopwatch"
	"github.com/brainwavlm/bwlm/torch"
)

// calibration holds the seconds that parts of a study take on this machine.
type calibration struct {
	trainer *tune.Trainer
	cache   *windows.Cache

	costs
	flops           costs // the same in floating-point operations of products, where they are counted
	manifest, prove float64
	value           float64 // seconds for each value of the responses in a pass over them
	evaluation      int64   // memory that an evaluation takes
	peak            int64   // memory of the process after measuring
}

// without computes the activations of frozen layers, with the calibration's cache.
func (c *calibration) without(f *windows.Frozen) *windows.Frozen {
	own := *f
	own.Cache = c.cache
	return &own
}

const (
	planCache          = 1 << 40
	calibrationWindows = 64   // at least, or two units, or all
	calibrationSteps   = 3    // measured after a warm-up step
	calibrationVoxels  = 1000 // of the ridge and the bootstrap; more are extrapolated
)

// measure times each part once on little data.
func (c *calibration) measure(ctx context.Context, w *work) error {
	steps := []func(context.Context, *work) error{c.timeManifest, c.timeResponses, c.timeProof, c.timeReading,
		c.timeSteps, c.timeRidge, c.timeBootstrap}
	for i, step := range steps {
		c.trainer.Study.Options.Progress(progress.Event{Phase: progress.Calibrate, Done: i, Total: len(steps)})
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if err := step(ctx, w); err != nil {
			return err
		}
	}
	c.trainer.Study.Options.Progress(progress.Event{Phase: progress.Calibrate, Done: len(steps), Total: len(steps)})
	return nil
}

func (c *calibration) timeProof(ctx context.Context, w *work) (err error) {
	c.prove, err = stopwatch.Seconds(func() error { return c.trainer.Prove(ctx, w.order) })
	return err
}

// timeReading extracts the start of the longest story three times: without cached activations, with
// them, and at all layers.
func (c *calibration) timeReading(ctx context.Context, _ *work) error {
	longest := slices.MaxFunc(c.trainer.Study.StoriesOf(study.Train, study.Val), func(a, b string) int {
		return len(c.trainer.Study.Stimuli[a].Windows) - len(c.trainer.Study.Stimuli[b].Windows)
	})
	stim := c.trainer.Study.Stimuli[longest]
	last := stim.Clips[min(len(stim.Clips), 2*c.trainer.Reader.Unit)-1]
	for _, clip := range stim.Clips {
		if last.Windows.To < calibrationWindows {
			last = clip
		}
	}
	n, samples := last.Windows.To, last.End
	clock, err := c.trainer.Study.Data.Clock(longest)
	if err != nil {
		return err
	}
	rows := max(1, min(stim.Rows, int((float64(samples)/dataset.SampleRate-clock.First)/clock.TR)))
	if stim.Design.Weights == nil { // vectors are rows
		rows = n
	}
	// of the same name, since its windows are the story's
	piece, err := windows.Cut(c.trainer.Study.Experiment, c.trainer.Study.Design(), clock, longest,
		windows.Beginning(stim.Samples, samples), rows)
	if err != nil {
		return err
	}
	read := func(r *windows.Reader, layers []int) (float64, error) {
		took, err := stopwatch.Seconds(func() error {
			windows, err := r.Features(ctx, piece, layers)
			for _, x := range windows {
				f := encoding.RowFeatures{Rows: map[string][]float32{}, Zscore: map[string]design.ZScore{}}
				f.Add(piece, x)
			}
			return err
		})
		return took / float64(n), err
	}
	layer := []int{c.trainer.Study.Experiment.Model.Layer}
	warmUp := c.trainer.Reader.Units(piece, n-1, n)[0] // of the longest windows
	err = c.trainer.Model.Session().Infer(ctx, func(s *torch.Scope) error {
		c.trainer.Reader.Vectors(s, piece, warmUp, layer)
		return nil
	})
	if err != nil {
		return err
	}
	whole, err := read(c.trainer.Reader, layer)
	if err != nil {
		return err
	}
	if c.tuned, err = read(c.trainer.Reader, layer); err != nil {
		return err
	}
	base := c.trainer.Study.Reader(c.trainer.Study.Model)
	base.Frozen = c.without(base.Frozen)
	c.base, err = read(base, c.trainer.Study.AllLayers())
	c.front = max(0, whole-c.tuned)
	if err != nil {
		return err
	}
	return c.countReading(ctx, piece)
}

// timeSteps times tuning steps on blocks of about the usual size, with cached activations as in most of a run.
func (c *calibration) timeSteps(ctx context.Context, w *work) error {
	c.trainer.UnitStatistics()
	mean := float64(w.stepWindows) / float64(len(w.order))
	near := make([]int, len(w.order))
	for i := range near {
		near[i] = i
	}
	slices.SortStableFunc(near, func(a, b int) int {
		da, db := float64(w.spans[a])-mean, float64(w.spans[b])-mean
		return cmp.Compare(da*da, db*db)
	})
	windows, took := 0, 0.
	for k := range calibrationSteps + 1 {
		i := near[k%len(near)]
		b := w.order[i]
		if err := c.trainer.FillBlock(ctx, b, c.trainer.ReadLayers()); err != nil {
			return err
		}
		one, err := stopwatch.On(c.trainer.Session.Device, func() error {
			_,
				err := c.trainer.Step(ctx, b, uint64(k))
			return err
		})
		if err != nil {
			return err
		}
		if k > 0 {
			windows, took = windows+max(w.spans[i], 1), took+one
		}
	}
	c.step = took / float64(windows)
	return nil
}

// timeBootstrap times a few resamples of some voxels of the first subject.
func (c *calibration) timeBootstrap(ctx context.Context, _ *work) error {
	p := c.trainer.Study.Subjects[0]
	n := min(p.Voxels, calibrationVoxels)
	subject := stats.Subject{Voxels: n}
	columns := make([]int, n)
	for i := range columns {
		columns[i] = i
	}
	for _, r := range p.Parts[study.Test] {
		y, err := p.Read(ctx, columns, r)
		if err != nil {
			return err
		}
		x := slices.Clone(y)
		slices.Reverse(x)
		subject.Stories = append(subject.Stories, stats.Story{Name: fmt.Sprint(r.Story, r.From), Rows: r.To - r.From,
			Responses: y, Base: x, Tuned: x})
	}
	draw := func(resamples int) (float64, error) {
		return stopwatch.Seconds(func() error {
			_, err := stats.PairedBootstrap(ctx, []stats.Subject{subject}, []stats.Group{{}},
				stats.BootstrapOptions{Resamples: resamples})
			return err
		})
	}
	const least, few, usual = 10, 110, 2000
	start, err := draw(least)
	if err != nil {
		return err
	}
	some, err := draw(few)
	if err != nil {
		return err
	}
	total := 0
	for _, p := range c.trainer.Study.Subjects {
		total += p.Voxels
	}
	c.bootstrap = (start + max(0, some-start)*(usual-least)/(few-least)) * float64(total) / float64(n)
	return nil
}

// peakMB returns the peak memory so far plus what a run will add: the rest of the cache, which takes frozenBytes if
// it holds all, and what an evaluation takes.
func (c *calibration) peakMB(frozenBytes int64) float64 {
	kept := planCache - c.cache.Budget
	more := min(c.trainer.Study.Options.CacheBytes, frozenBytes) - kept + c.evaluation
	return float64(c.peak+max(more, 0)) / 1e6
}
