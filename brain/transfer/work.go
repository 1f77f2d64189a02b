package transfer

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/subrun"
	"github.com/brainwavlm/bwlm/internal/rundir"
)

const op = "transfer"

// tuning is one tuning of the study, or the untuned model, which has no sources.
type tuning struct {
	name    string    // its folder
	sources []string  // subjects tuned on
	target  string    // subject left out, if any
	at      []float64 // shares of the training rows at which it is scored
	scores  *scored   // nil until it is finished, and if it failed
}

// file is the file with the scores of a tuning.
func (t *runner) file(u *tuning) string { return filepath.Join(t.dir(), u.name, "scores.json") }

// experiment is that of the study with the sources and the directory of a tuning.
func (t *runner) experiment(u *tuning) *experiment.Experiment {
	exp := *t.study.Experiment
	exp.Data.Subjects, exp.Out = u.sources, filepath.Join(t.dir(), u.name)
	return &exp
}

// work scores the untuned model and tunes and scores the others, but for what other processes do, until all is done.
// Tunings that fail are noted in the result.
func (t *runner) work(ctx context.Context, untuned *tuning, tunings []*tuning) (err error) {
	if err := t.sameStudy(tunings); err != nil {
		return err
	}
	var dirs []string
	jobs := []subrun.Job{{Name: untuned.name, Dir: filepath.Join(t.dir(), untuned.name),
		Done: func() (bool, error) { return t.finished(untuned) },
		Do: func(ctx context.Context, begin func()) error {
			folder, err := rundir.Hold(filepath.Join(t.dir(), untuned.name))
			if err != nil {
				return err
			}
			defer folder.Close()
			if done, err := t.finished(untuned); done || err != nil {
				return err
			}
			begin()
			return t.scoreUntuned(ctx, untuned)
		}}}
	for _, u := range tunings {
		jobs = append(jobs, t.job(u))
		dirs = append(dirs, filepath.Join(t.dir(), u.name))
	}
	if t.failures, err = subrun.NewFailures(op, dirs); err != nil {
		return err
	}
	if err := subrun.Work(ctx, jobs, func(s progress.RunStatus) {
		s.Index, s.Total = s.Index-1, s.Total-1 // the untuned model is no tuning
		t.opt.Begin(s)
	}); err != nil {
		return err
	}
	return t.collect(untuned, tunings)
}

// sameStudy refuses run directories of other settings.
func (t *runner) sameStudy(tunings []*tuning) error {
	for _, u := range tunings {
		exp := t.experiment(u)
		begun, err := rundir.Begun(exp.Out)
		if err == nil && begun {
			err = rundir.SameSettings(op, exp.Out, exp)
		}
		if err != nil && fault.KindOf(err) == fault.Exists { // a damaged run fails by itself
			return err
		}
	}
	return nil
}

// finished reports whether the scores of a tuning are there.
func (t *runner) finished(u *tuning) (bool, error) {
	s, err := t.read(t.file(u), u.at)
	return s != nil, err
}

// job is a tuning that processes may share.
func (t *runner) job(u *tuning) subrun.Job {
	dir := filepath.Join(t.dir(), u.name)
	done := func() (bool, error) {
		yes, err := t.finished(u)
		if err != nil && fault.KindOf(err) != fault.Exists {
			t.failures.Refuse(dir, err)
			return true, nil
		}
		return yes, err
	}
	return subrun.Job{Name: u.name, Dir: dir,
		Done: func() (bool, error) {
			if yes, err := done(); yes || err != nil {
				return yes, err
			}
			return t.failures.Final(dir)
		},
		Do: func(ctx context.Context, begin func()) error {
			run, err := subrun.Claim(op, t.experiment(u))
			if errors.Is(err, rundir.ErrLocked) {
				return err
			}
			if err != nil {
				t.failures.Refuse(dir, err)
				return nil
			}
			defer run.Close()
			if yes, err := done(); yes || err != nil { // by another process, until a moment ago
				return err
			}
			if final, err := t.failures.Final(dir); final || err != nil {
				return err
			}
			begin()
			return t.failures.Try(ctx, run, false, func() error { return t.tune(ctx, u, run) })
		}}
}

// collect reads the scores of all that is finished, and notes what failed. That all failed is an error.
func (t *runner) collect(untuned *tuning, tunings []*tuning) (err error) {
	if untuned.scores, err = t.read(t.file(untuned), untuned.at); err != nil {
		return err
	}
	for _, u := range tunings {
		scores, unreadable := t.read(t.file(u), u.at)
		if unreadable == nil && scores != nil {
			u.scores = scores
			if err := t.sameData(untuned, u); err != nil {
				return err
			}
			continue
		}
		failed, err := t.failures.Of(filepath.Join(t.dir(), u.name))
		if err != nil {
			return err
		}
		if failed == nil { // it was removed meanwhile
			return fault.New(fault.Temporary, op, t.file(u), "the scores are gone").WithHint("repeat the command")
		}
		t.result.Failed = append(t.result.Failed, results.FailedRun{Name: u.name, Error: failed.Reason,
			Code: failed.Code})
	}
	if f := t.result.Failed; len(f) > 0 && len(f) == len(tunings) {
		return fault.New(fault.Kind(f[0].Code), op, t.dir(), "all %d tunings failed; the first: %s", len(f), f[0].Error)
	}
	return nil
}

// scoresOf returns the scores of tunings, nil where one failed.
func scoresOf(tunings []*tuning) (out []*scored) {
	for _, u := range tunings {
		out = append(out, u.scores)
	}
	return out
}
