package sweep

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
)

// Options say what to run.
type Options struct {
	// Experiment gives the experiment with further settings, each "key=value" as for experiment.Load.
	Experiment func(sets ...string) (*experiment.Experiment, error)
	Axes       []Axis
	Out        string // the folder of all runs
	Study      brain.Options
	Open       func(context.Context, *experiment.Experiment, brain.Options) (*brain.Study, error) // nil: brain.Open
	Begin      func(run string, index, total int)                                                 // told of each run before it begins; may be nil
}

// Run runs what is not finished and tabulates everything. After each run it writes sweep.json and sweep.csv.
//
// The error is one of options or of the folder, or, when the context ends, its cause; what is done by then is saved.
func Run(ctx context.Context, opt Options) (*Result, error) {
	if err := checkAxes(opt.Axes); err != nil {
		return nil, err
	}
	if opt.Open == nil {
		opt.Open = brain.Open
	}
	if opt.Begin == nil {
		opt.Begin = func(string, int, int) {}
	}
	s := &sweep{opt: opt, result: &Result{Schema: 1, Axes: opt.Axes}}
	defer s.close()
	all := combinations(opt.Axes)
	for _, values := range all { // a typing error shall cost nothing
		if _, err := opt.Experiment(sets(opt.Axes, values)...); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(opt.Out, 0o755); err != nil {
		return nil, fault.Wrap(fault.IO, "sweep", opt.Out, err)
	}
	for i, values := range all {
		opt.Begin(nameOf(opt.Axes, values), i, len(all))
		trial, err := s.trial(ctx, values)
		if err != nil {
			return nil, err
		}
		s.result.Runs = append(s.result.Runs, trial)
		s.result.tabulate()
		if err := s.result.write(opt.Out); err != nil {
			return nil, err
		}
	}
	return s.result, nil
}

// sets are the values of a combination as --set has them.
func sets(axes []Axis, values []string) []string {
	out := make([]string, len(axes))
	for i, a := range axes {
		out[i] = a.Key + "=" + values[i]
	}
	return out
}

// sweep is one in progress. It keeps one study open, for all following runs that can share with it.
type sweep struct {
	opt    Options
	result *Result
	open   *brain.Study
	shares string // what runs must have in common to share with open
}

func (s *sweep) close() {
	if s.open != nil {
		s.open.Close()
		s.open = nil
	}
}

// trial does one run, or reads it if it is finished. Its failure is part of the result; only the context's end is an error.
func (s *sweep) trial(ctx context.Context, values []string) (Trial, error) {
	t := Trial{Name: nameOf(s.opt.Axes, values), Values: values}
	summary, err := s.summary(ctx, filepath.Join(s.opt.Out, t.Name), values)
	switch {
	case ctx.Err() != nil:
		return t, context.Cause(ctx)
	case err != nil:
		t.fail(err)
	default:
		t.read(summary)
	}
	return t, nil
}

// summary gives the scores of one run: those of a finished one, else it begins or goes on.
func (s *sweep) summary(ctx context.Context, dir string, values []string) (*brain.Summary, error) {
	exp, err := s.opt.Experiment(sets(s.opt.Axes, values)...)
	if err != nil {
		return nil, err
	}
	exp.Out = dir
	_, err = os.Stat(filepath.Join(dir, "config.yaml"))
	begun := err == nil
	if begun {
		if err := sameSettings(dir, exp); err != nil {
			return nil, err
		}
		if done, err := finished(dir); done != nil || err != nil {
			return done, err
		}
	}
	st, end, err := s.study(ctx, exp)
	if err != nil {
		return nil, err
	}
	defer end()
	var run *brain.Run
	if begun {
		run, err = brain.OpenRun(dir)
	} else {
		run, err = st.Begin(ctx)
	}
	if err != nil {
		return nil, err
	}
	defer run.Close()
	if _, err := st.Fit(ctx, run); err != nil {
		return nil, err
	}
	return st.EvaluateRun(ctx, run)
}

// finished reads the scores that a run ends with; nil if it has not come that far.
func finished(dir string) (*brain.Summary, error) {
	path := filepath.Join(dir, "eval", "summary.json")
	out := &brain.Summary{}
	err := jsonfile.Read("sweep", path, out)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	if out.Epochs == nil { // scores of the untuned model from before the training
		return nil, nil
	}
	return out, nil
}

// sameSettings refuses to count a run that was made with other settings.
func sameSettings(dir string, want *experiment.Experiment) error {
	path := filepath.Join(dir, "config.yaml")
	was, err := experiment.LoadRun(path)
	if err != nil {
		return err
	}
	now := map[string]string{}
	for s := range want.Settings() {
		now[s.Key] = s.Value
	}
	for s := range was.Settings() {
		if s.Key != "out" && s.Value != now[s.Key] {
			return fault.New(fault.Exists, "sweep", path, "was begun with %s: %s, not %s", s.Key, s.Value, now[s.Key]).
				Advise("choose another --out, or remove that run")
		}
	}
	return nil
}

// study opens what a run needs: a variant of the open study where the two share data, model and windows.
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

// sharedPart names the settings that runs with one front end's output have in common. The splits are among them since the
// output is kept first come, first kept: another order could leave other windows out, and with them the last bits differ.
func sharedPart(exp *experiment.Experiment) string {
	own := []string{"model.pooling", "model.downsample", "data.roi", "data.detrend", "data.zscore"}
	var parts []string
	for s := range exp.Settings() {
		section, _, _ := strings.Cut(s.Key, ".")
		free := section == "adapter" || section == "train" || section == "readout" || section == "eval" || s.Key == "out"
		for _, k := range own {
			free = free || s.Key == k
		}
		if !free {
			parts = append(parts, s.Key+"="+s.Value)
		}
	}
	return strings.Join(parts, "\n")
}

// fail records why a run has no scores.
func (t *Trial) fail(err error) {
	t.Error = err.Error()
	if f, ok := errors.AsType[*fault.Error](err); ok {
		t.Diverged = f.Kind == fault.BadData && f.What == "tune" // the loss is no number
	}
}

// read takes the scores of a run.
func (t *Trial) read(s *brain.Summary) {
	base := s.Test.Base.MeanR
	t.BaseR, t.Epochs, t.Best = &base, len(s.Epochs)-1, s.Chosen
	for _, e := range s.Epochs[1:] {
		if e.ValR < s.Epochs[0].ValR {
			t.Below++
		}
		if e.Epoch == s.Chosen {
			t.ValGain = e.ValR - s.Epochs[0].ValR
		}
	}
	if s.Test.Delta == nil { // readouts alone were tuned: there is no tuned model to score
		return
	}
	t.Gain = map[string]float64{All: s.Test.Delta.MeanR}
	for roi, d := range s.Test.Delta.ROIs {
		t.Gain[roi] = d.MeanR
	}
}
