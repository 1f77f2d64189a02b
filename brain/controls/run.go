package controls

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/torch"
)

// Names lists all controls in the order in which they are run; "tuned" is the tuned model itself.
var Names = []string{"tuned", "best_layer", "random_adapter", "envelope", "spectrum", "word_rate", "word_rate_position",
	"autocorrelation", "motion", "shuffled", "phase_randomised", "wrong_story", "other_subject", "stimulus",
	"word_vectors"}

// Options configures [Run]. The zero value runs all controls.
type Options struct {
	Only, Skip []string // names of controls to run, empty: all; and to leave out
	Glove      string   // word vectors, as for [probing.LoadVectors]; "": word_vectors is left out
}

// runner is a Run in progress.
type runner struct {
	study    *study.Study
	run      *rundir.Run
	opt      Options
	baseline *evaluate.Baseline // nil until it is needed
}

// Run runs the controls of a finished run and stores each in controls/NAME of its directory. Stored
// controls are read.
func Run(ctx context.Context, of *brain.Study, run *rundir.Run, opt Options) (*results.Controls, error) {
	st := of.Internal()
	for _, name := range slices.Concat(opt.Only, opt.Skip) {
		if !slices.Contains(Names, name) {
			return nil, fault.New(fault.Usage, "controls", name, "there is no such control").
				WithHint("name some of %s", strings.Join(Names, ", "))
		}
	}
	c := &runner{study: st, run: run, opt: opt}
	out := &results.Controls{Schema: 1, Subjects: st.SubjectNames(), Controls: map[string]*results.Control{}}
	for _, name := range Names {
		if len(opt.Only) > 0 && !slices.Contains(opt.Only, name) || slices.Contains(opt.Skip, name) {
			continue
		}
		s, skipped, err := c.one(ctx, name)
		if err != nil {
			return nil, fmt.Errorf("control %s: %w", name, err)
		}
		if skipped != "" {
			out.Controls[name] = &results.Control{Skipped: skipped}
			continue
		}
		t := s.Test
		out.Rows, out.Base = t.Rows, t.Base
		out.Controls[name] = &results.Control{MeanR: t.Tuned.MeanR, ROIs: t.Tuned.ROIs, Delta: t.Delta}
		if s.Epochs != nil {
			out.Controls[name].Epoch = &s.Chosen
		}
	}
	return out, nil
}

// one returns the scores of a control, which it reads or computes, or the reason why there are
// none.
func (c *runner) one(ctx context.Context, name string) (s *results.Summary, skipped string, err error) {
	file := filepath.Join(c.dir(name), "eval", "summary.json")
	s = &results.Summary{}
	err = jsonfile.ReadOwn("controls", c.dir(name), filepath.Join("eval", "summary.json"), s)
	switch {
	case err == nil && s.Test.Tuned != nil && s.Test.Delta != nil:
		return s, "", nil
	case !errors.Is(err, fs.ErrNotExist):
		return nil, "", fault.New(fault.BadData, "controls", file, "is not the summary of a control").
			WithHint("remove %s to run it again", c.dir(name))
	}
	if skipped, err = c.why(name); skipped != "" || err != nil {
		return nil, skipped, err
	}
	if c.baseline == nil {
		if c.baseline, err = evaluate.NewBaseline(ctx, c.study); err != nil {
			return nil, "", err
		}
	}
	e, err := c.evaluate(ctx, name)
	if err != nil {
		return nil, "", err
	}
	return e.Summary, "", e.Write(ctx, filepath.Dir(file))
}

func (c *runner) dir(name string) string { return filepath.Join(c.run.Dir, "controls", name) }

// evaluate runs a control.
func (c *runner) evaluate(ctx context.Context, name string) (*evaluate.Evaluation, error) {
	_, rows := c.study.StoryRows()
	regress := func(of func(story string, rows int) ([]float32, int, error)) (*evaluate.Evaluation, error) {
		return c.baseline.Control(ctx, name, func(_ context.Context, _, story string) ([]float32, int, error) {
			return of(story, rows[story])
		})
	}
	data := c.study.Data
	switch name {
	case "tuned":
		t, err := c.study.LoadTuned(ctx, c.run)
		return c.compare(ctx, t, err)
	case "best_layer":
		return c.baseline.BestLayer(ctx)
	case "random_adapter":
		t, err := evaluate.RandomAdapter(ctx, c.study, filepath.Join(c.run.Dir, "adapter"),
			filepath.Join(c.dir(name), "adapter"), c.seed(name))
		return c.compare(ctx, t, err)
	case "spectrum":
		return regress(func(story string, rows int) ([]float32, int, error) { return sound(ctx, data, story, rows) })
	case "envelope":
		return regress(func(story string, rows int) ([]float32, int, error) {
			return firstOf(sound(ctx, data, story, rows))
		})
	case "word_rate":
		return regress(func(story string, rows int) ([]float32, int, error) {
			return firstOf(wordRatePosition(ctx, data, story, rows))
		})
	case "word_rate_position":
		return regress(func(story string, rows int) ([]float32, int, error) {
			return wordRatePosition(ctx, data, story, rows)
		})
	case "motion":
		delays, err := design.Delays(c.study.Experiment.Readout.DelaysSeconds, data.TR())
		if err != nil {
			return nil, err
		}
		return c.baseline.Control(ctx, name, func(ctx context.Context, subject, story string) ([]float32, int, error) {
			return headMotion(ctx, data, subject, story, rows[story], slices.Min(delays))
		})
	case "autocorrelation":
		return regress(func(_ string, rows int) ([]float32, int, error) { return smooth(rows) })
	}
	exp := *c.study.Experiment
	exp.Out = c.dir(name)
	spec, err := c.tuningData(ctx, name, &exp)
	if err != nil {
		return nil, err
	}
	return c.tune(ctx, &exp, spec)
}

// compare scores a tuned model and closes it.
func (c *runner) compare(ctx context.Context, t *study.Tuned, err error) (*evaluate.Evaluation, error) {
	if err != nil {
		return nil, err
	}
	defer t.Close()
	return c.baseline.Compare(ctx, t)
}

// tune trains a control in a run directory of its own, or resumes it, and scores it on the true
// responses.
func (c *runner) tune(ctx context.Context, exp *experiment.Experiment, spec dataset.Spec) (*evaluate.Evaluation,
	error) {
	data, err := dataset.New(spec)
	if err != nil {
		return nil, err
	}
	v, err := c.study.VaryData(ctx, exp, data)
	if err != nil {
		return nil, err
	}
	open := func() (*rundir.Run, error) { return v.Begin(ctx) }
	if _, err := os.Stat(filepath.Join(exp.Out, "config.yaml")); err == nil {
		open = func() (*rundir.Run, error) { return rundir.Open(exp.Out) }
	}
	run, err := open()
	if err != nil {
		return nil, err
	}
	defer run.Close()
	p, err := tune.Fit(ctx, v, run)
	if err != nil {
		return nil, err
	}
	t, err := c.study.LoadTuned(ctx, run)
	e, err := c.compare(ctx, t, err)
	if err == nil {
		e.Summary.Epochs, e.Summary.Chosen = p.Epochs, p.Epochs[p.Best].Epoch
	}
	return e, err
}

// seed returns the seed of a control, which is different for each.
func (c *runner) seed(name string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(name))
	return torch.Seed(c.study.Experiment.Train.Seed, h.Sum64())
}
