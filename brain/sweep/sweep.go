package sweep

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/subrun"
)

const op = "sweep"

// Options configures a sweep. Experiment, Axes and Out are required.
type Options struct {
	// Experiment returns the experiment with the given settings, each "key=value" as for
	// experiment.Load. It is called several times per run.
	Experiment func(sets ...string) (*experiment.Experiment, error)
	Axes       []results.SweepAxis
	Out        string // the parent folder of the runs
	Reveal     bool   // score the test rows of all settings, not of the best one alone
	Study      brain.Options

	// Open opens a study; nil means brain.Open.
	Open func(context.Context, *experiment.Experiment, brain.Options) (*brain.Study, error)
	// Begin is called before each run, and when only runs of other processes are left; it may be nil.
	Begin func(progress.RunStatus)
}

// Run tunes every combination that is not finished, scores the test rows of the best setting on the validation rows,
// and returns the table of all, which it writes to sweep.json and sweep.csv.
//
// Several processes may call Run with equal options: each works on the runs that no other one has locked, and when
// all runs are finished each returns and writes the same table. The run of a process that died is resumed by another.
//
// An error is about the options or the folder, or it is the cause of a cancelled context; finished runs are then
// saved. A folder of other settings is a fault of kind Exists. A run that fails is no error: its row of the table
// holds the reason. A call tries it again, unless the loss was not finite.
func Run(ctx context.Context, opt Options) (*results.Sweep, error) {
	if opt.Experiment == nil || opt.Out == "" {
		return nil, fault.New(fault.Usage, op, "options", "Experiment and Out are required")
	}
	if err := checkAxes(opt.Axes); err != nil {
		return nil, err
	}
	if opt.Open == nil {
		opt.Open = brain.Open
	}
	if opt.Begin == nil {
		opt.Begin = func(progress.RunStatus) {}
	}
	s := &sweep{opt: opt}
	defer s.close()
	for _, values := range combinations(opt.Axes) { // a wrong key or value fails before the first run
		exp, err := opt.Experiment(sets(opt.Axes, values)...)
		if err != nil {
			return nil, err
		}
		r := &member{name: nameOf(opt.Axes, values), values: values, exp: exp, planOut: exp.Out}
		exp.Out = filepath.Join(opt.Out, r.name)
		s.runs = append(s.runs, r)
	}
	if err := os.MkdirAll(opt.Out, 0o755); err != nil {
		return nil, fault.Wrap(fault.IO, op, opt.Out, err)
	}
	if err := s.sameSweep(ctx); err != nil {
		return nil, err
	}
	if err := s.work(ctx); err != nil {
		return nil, err
	}
	r, err := s.table()
	if err != nil {
		return nil, err
	}
	return r, write(r, opt.Out)
}

// member is one run of a sweep. Its experiment has the run's directory; planOut is the directory that the experiment
// names itself, whose analysis may be locked.
type member struct {
	name    string
	values  []string
	exp     *experiment.Experiment
	planOut string
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
	opt      Options
	runs     []*member
	failures *subrun.Failures
	open     *brain.Study
	shares   string // sharedPart of the open study
}

func (s *sweep) close() {
	if s.open != nil {
		s.open.Close()
		s.open = nil
	}
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
