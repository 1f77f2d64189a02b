package planning

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/plan"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/brain/ridge"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	"github.com/brainwavlm/bwlm/internal/brain/windows"
	"github.com/brainwavlm/bwlm/internal/proc"
	"github.com/brainwavlm/bwlm/internal/stopwatch"
	"github.com/brainwavlm/bwlm/torch"
)

// calibration holds the seconds that parts of a study take on this machine.
type calibration struct {
	trainer *tune.Trainer
	cache   *windows.Cache

	// for each window: frozen layers; the other layers up to model.layer; all layers of the untuned model
	front, tuned, base float64
	step               float64 // for each window of a tuning step, with cached activations
	ridge              float64 // fit and prediction for all subjects
	bootstrap          float64
	manifest, prove    float64
	ridgeBytes         int64 // features of a ridge
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
	steps := []func(context.Context, *work) error{c.timeManifest, c.timeProof, c.timeReading, c.timeSteps, c.timeRidge,
		c.timeBootstrap}
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

func (c *calibration) timeManifest(ctx context.Context, _ *work) (err error) {
	c.manifest, err = stopwatch.Seconds(func() error { _, err := c.trainer.Study.Manifest(ctx); return err })
	return err
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
	// of the same name, since its windows are the story's
	piece, err := windows.Cut(c.trainer.Study.Experiment, c.trainer.Study.Delays, clock, longest,
		stim.Samples[:samples], rows)
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
	return err
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

// timeRidge fits random features to the responses, since the time does not depend on the values.
// The cost is a decomposition plus a part per voxel, so few voxels are measured and extrapolated.
func (c *calibration) timeRidge(ctx context.Context, _ *work) error {
	exp := c.trainer.Study.Experiment
	width := c.trainer.Study.Model.Architecture().Width * len(c.trainer.Study.Delays)
	rng := rand.New(rand.NewPCG(1, 2))
	random := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(rng.NormFloat64())
		}
		return x
	}
	for _, group := range study.SameRows(c.trainer.Study.Subjects) {
		rows, valRows := c.trainer.Study.Subjects[group[0]].RowsOf(study.Train),
			c.trainer.Study.Subjects[group[0]].RowsOf(study.Val)
		voxels := 0
		for _, i := range group {
			voxels += c.trainer.Study.Subjects[i].Voxels
		}
		c.ridgeBytes += int64(rows+valRows) * int64(width) * 4
		x, held := random(rows*width), random(valRows*width)
		fit := func(n int) (float64, error) {
			y := random(rows * n)
			return stopwatch.Seconds(func() error {
				m, err := ridge.Fit(ctx, x, y, rows, ridge.Options{Alphas: exp.Eval.Alphas, Boots: exp.Eval.Boots,
					ChunkRows: exp.Eval.ChunkRows,
					HeldOut:   exp.Eval.HeldOut, Seed: exp.Train.Seed, Device: c.trainer.Study.Model.Session().Device})
				if err == nil {
					_, err = m.Predict(ctx, held, valRows)
				}
				return err
			})
		}
		few := min(voxels, calibrationVoxels)
		if _, err := fit(min(few, 10)); err != nil { // warms up
			return err
		}
		took, err := fit(few)
		if err != nil {
			return err
		}
		if few < voxels {
			half, err := fit(few / 2)
			if err != nil {
				return err
			}
			took += max(0, took-half) / float64(few-few/2) * float64(voxels-few)
		}
		c.ridge += took
	}
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

// phases returns the phases with their seconds.
func (c *calibration) phases(w *work) []plan.Phase {
	epochs, exp := float64(c.trainer.Study.Experiment.Train.Epochs), c.trainer.Study.Experiment
	missing := 1 - w.cached
	var out []plan.Phase
	add := func(name string, times, each float64) {
		out = append(out, plan.Phase{Name: name, Times: times, Each: each, Seconds: times * each})
	}
	add("open data and model, hash inputs", 1, c.trainer.Study.Took.Seconds()+c.manifest+c.prove)
	add(phaseFrozen, 1, c.front*float64(w.epochWindows+w.testWindows))
	reads := 1.
	if exp.Train.Mode != experiment.TrainReadout {
		reads += epochs
	}
	add(phaseSteps, epochs*float64(len(w.order)),
		float64(w.stepWindows)/float64(len(w.order))*(c.step+missing*c.front))
	add(phaseRead, reads,
		float64(w.epochWindows)*c.tuned+missing*c.front*float64(w.epochWindows)*(reads-1)/reads)
	if exp.Train.Mode != experiment.TrainReadout {
		add("score validation", reads, c.ridge)
	}
	add("checkpoints", epochs+1, checkpointSeconds+float64(w.checkpointBytes)/diskBytesASecond)
	bootstraps := 2. // of base and of its best layer, of all subjects together
	if len(c.trainer.Study.Subjects) > 1 {
		bootstraps++ // and each alone
	}
	add(phaseEvaluate, 1, c.evaluateReading(w)+float64(w.fits())*c.ridge+bootstraps*c.bootstrap)
	return out
}

// Names of phases that read windows.
const (
	phaseFrozen   = "activations of frozen layers, once"
	phaseSteps    = "tuning steps"
	phaseRead     = "read for validation"
	phaseEvaluate = "evaluate base, each layer, and tuned"
)

// evaluateReading is the part of the evaluation that reads windows, in seconds.
func (c *calibration) evaluateReading(w *work) float64 {
	missing := 1 - w.cached
	return float64(w.epochWindows+w.testWindows)*(c.base+missing*c.front) +
		float64(w.trainTest)*(c.tuned+missing*c.front)
}

// peakMB returns the peak memory so far plus what a run will add: the rest of the cache, and the
// features of all layers at all rows, which an evaluation holds.
func (c *calibration) peakMB(w *work) (float64, error) {
	peak, err := proc.PeakMemory()
	if err != nil {
		return 0, err
	}
	kept := planCache - c.cache.Budget
	rows := int64(0)
	for _, stim := range c.trainer.Study.Stimuli {
		rows += int64(stim.Rows)
	}
	features := rows * int64(c.trainer.Study.Model.Architecture().Width*len(c.trainer.Study.Delays)) * 4 *
		int64(w.evalLayers())
	more := min(c.trainer.Study.Options.CacheBytes, w.frozenBytes) - kept + features
	return float64(peak+max(more, 0)) / 1e6, nil
}
