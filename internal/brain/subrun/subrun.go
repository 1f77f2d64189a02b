// Package subrun trains and scores one run of several, such as a fold or a setting of a sweep. A run that was stopped
// goes on, and one that has its scores is only read.
package subrun

import (
	"context"
	"errors"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/internal/rundir"
)

// Open opens the study of an experiment. Close ends it.
type Open func(ctx context.Context, exp *experiment.Experiment) (st *brain.Study, end func(), err error)

// Scores returns the scores of an experiment in its directory exp.Out, which it trains or resumes unless they are
// there. A directory of other settings is an error of the operation op.
func Scores(ctx context.Context, op string, exp *experiment.Experiment, open Open) (*results.Summary, error) {
	begun, err := rundir.Begun(exp.Out)
	if err != nil {
		return nil, err
	}
	if begun {
		if err := rundir.SameSettings(op, exp.Out, exp); err != nil {
			return nil, err
		}
		if done, err := rundir.Scores(op, exp.Out); done != nil || err != nil {
			return done, err
		}
	}
	st, end, err := open(ctx, exp)
	if err != nil {
		return nil, err
	}
	defer end()
	var run *rundir.Run
	if begun {
		run, err = brain.OpenRun(exp.Out)
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

// Claim makes or opens the run directory exp.Out and locks it. An error matches rundir.ErrLocked if another process
// works on the run; a directory of other settings is a fault of kind Exists of the operation op.
func Claim(op string, exp *experiment.Experiment) (*rundir.Run, error) {
	for {
		begun, err := rundir.Begun(exp.Out)
		if err != nil {
			return nil, err
		}
		if begun {
			if err := rundir.SameSettings(op, exp.Out, exp); err != nil {
				return nil, err
			}
			return rundir.Open(exp.Out)
		}
		run, err := rundir.Create(exp.Out)
		if err == nil || errors.Is(err, rundir.ErrLocked) {
			return run, err
		}
		if now, _ := rundir.Begun(exp.Out); !now { // else another process began and left it in between
			return nil, err
		}
	}
}

// Tune trains or resumes a run that is claimed, and records its outcome in its directory.
func Tune(ctx context.Context, exp *experiment.Experiment, run *rundir.Run, open Open) error {
	st, end, err := open(ctx, exp)
	if err != nil {
		return err
	}
	defer end()
	if run.Fresh() {
		if err := st.Internal().BeginIn(ctx, run); err != nil {
			return err
		}
	}
	p, err := st.Fit(ctx, run)
	if err != nil {
		return err
	}
	return run.WriteTuning(p)
}
