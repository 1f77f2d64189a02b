package sweep

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/subrun"
	"github.com/brainwavlm/bwlm/internal/roikeys"
)

// Options configures a sweep. Experiment, Axes and Out are required.
type Options struct {
	// Experiment returns the experiment with the given settings, each "key=value" as for
	// experiment.Load. It is called several times per run.
	Experiment func(sets ...string) (*experiment.Experiment, error)
	Axes       []results.SweepAxis
	Out        string // the parent folder of the runs
	Study      brain.Options

	// Open opens a study; nil means brain.Open.
	Open func(context.Context, *experiment.Experiment, brain.Options) (*brain.Study, error)
	// Begin is called before each run; it may be nil.
	Begin func(run string, index, total int)
}

// Run runs every combination that is not finished and returns the table of all. After each run it
// writes sweep.json and sweep.csv.
//
// An error is about the options or the folder, or it is the cause of a cancelled context; finished
// runs are then saved. A run that fails is no error: its row of the table holds the reason.
func Run(ctx context.Context, opt Options) (*results.Sweep, error) {
	if opt.Experiment == nil || opt.Out == "" {
		return nil, fault.New(fault.Usage, "sweep", "options", "Experiment and Out are required")
	}
	if err := checkAxes(opt.Axes); err != nil {
		return nil, err
	}
	if opt.Open == nil {
		opt.Open = brain.Open
	}
	if opt.Begin == nil {
		opt.Begin = func(string, int, int) {}
	}
	s := &sweep{opt: opt, result: &results.Sweep{Schema: 1, Axes: opt.Axes}}
	defer s.close()
	all := combinations(opt.Axes)
	for _, values := range all { // a wrong key or value fails before the first run
		if _, err := opt.Experiment(sets(opt.Axes, values)...); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(opt.Out, 0o755); err != nil {
		return nil, fault.Wrap(fault.IO, "sweep", opt.Out, err)
	}
	for i, values := range all {
		opt.Begin(nameOf(opt.Axes, values), i, len(all))
		run, err := s.run(ctx, values)
		if err != nil {
			return nil, err
		}
		s.result.Runs = append(s.result.Runs, run)
		tabulate(s.result)
		if err := write(s.result, opt.Out); err != nil {
			return nil, err
		}
	}
	return s.result, nil
}

// sets returns the settings of a combination, "key=value" each.
func sets(axes []results.SweepAxis, values []string) []string {
	out := make([]string, len(axes))
	for i, a := range axes {
		out[i] = a.Key + "=" + values[i]
	}
	return out
}

// sweep is a sweep in progress. One study stays open for the following runs that can share its data
// and model.
type sweep struct {
	opt    Options
	result *results.Sweep
	open   *brain.Study
	shares string // sharedPart of the open study
}

func (s *sweep) close() {
	if s.open != nil {
		s.open.Close()
		s.open = nil
	}
}

// run runs one combination, or reads it if it is finished. A failure is part of the result; only a
// cancelled context is an error.
func (s *sweep) run(ctx context.Context, values []string) (results.SweepRun, error) {
	t := results.SweepRun{Name: nameOf(s.opt.Axes, values), Values: values}
	summary, err := s.summary(ctx, filepath.Join(s.opt.Out, t.Name), values)
	switch {
	case ctx.Err() != nil:
		return t, context.Cause(ctx)
	case err != nil:
		setError(&t, err)
	default:
		readSummary(&t, summary)
	}
	return t, nil
}

// summary returns the scores of one run, which it starts, resumes or reads.
func (s *sweep) summary(ctx context.Context, dir string, values []string) (*results.Summary, error) {
	exp, err := s.opt.Experiment(sets(s.opt.Axes, values)...)
	if err != nil {
		return nil, err
	}
	exp.Out = dir
	return subrun.Scores(ctx, "sweep", exp, s.study)
}

// study returns the study of a run: a variant of the open study if the two share data, model and
// windows. end closes it.
func (s *sweep) study(ctx context.Context, exp *experiment.Experiment) (st *brain.Study, end func(), err error) {
	shares := sharedPart(exp)
	if s.open == nil || shares != s.shares {
		s.close()
		if st, err = s.opt.Open(ctx, exp, s.opt.Study); err != nil {
			return nil, nil, err
		}
		s.open, s.shares = st, shares
	}
	v, err := s.open.Vary(ctx, exp)
	if err != nil {
		return nil, nil, err
	}
	if s.opt.Study.Progress != nil {
		v.OnProgress(s.opt.Study.Progress)
	}
	return v, v.Close, nil
}

// sharedPart returns the settings that must agree for two runs to share the cached output of the
// model's front end. They include the splits: a full cache keeps the windows that came first, and
// results differ in the last bits with the windows that are cached.
func sharedPart(exp *experiment.Experiment) string {
	own := []string{"model.pooling", "model.downsample", "data.roi", "data.detrend", "data.zscore"}
	var parts []string
	for s := range exp.Settings() {
		section, _, _ := strings.Cut(s.Key, ".")
		free := section == "adapter" || section == "train" || section == "readout" || section == "eval" ||
			s.Key == "out"
		for _, k := range own {
			free = free || s.Key == k
		}
		if !free {
			parts = append(parts, s.Key+"="+s.Value)
		}
	}
	return strings.Join(parts, "\n")
}

// setError records why a run has no scores.
func setError(t *results.SweepRun, err error) {
	t.Error = err.Error()
	if f, ok := errors.AsType[*fault.Error](err); ok {
		t.Diverged = f.Kind == fault.BadData && f.Op == "tune" // the loss is not finite
	}
}

// readSummary fills in the scores of a run.
func readSummary(t *results.SweepRun, s *results.Summary) {
	base := s.Test.Base.MeanR
	t.BaseR, t.Epochs, t.Best = &base, len(s.Epochs)-1, s.Chosen
	for _, e := range s.Epochs[1:] {
		if e.ValR < s.Epochs[0].ValR {
			t.Below++
		}
		if e.Epoch == s.Chosen {
			t.ValDelta = e.ValR - s.Epochs[0].ValR
		}
	}
	if s.Test.Delta == nil { // only readouts were trained: there is no tuned model to score
		return
	}
	t.Delta = map[string]float64{roikeys.All: s.Test.Delta.MeanR}
	for roi, d := range s.Test.Delta.ROIs {
		t.Delta[roi] = d.MeanR
	}
}
