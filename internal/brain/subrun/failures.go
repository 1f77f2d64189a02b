package subrun

import (
	"context"

	"github.com/brainwavlm/bwlm/internal/rundir"
)

// Failures knows which runs failed, and which of them this process tries again: each that had failed before it began,
// once. A run that diverged is not tried again, since equal seeds diverge alike.
type Failures struct {
	op     string
	before map[string]int // attempts of a directory when this process began
	here   map[string]*rundir.Failure
}

// NewFailures reads the failures of the runs in some directories, for an operation op.
func NewFailures(op string, dirs []string) (*Failures, error) {
	f := &Failures{op: op, before: map[string]int{}, here: map[string]*rundir.Failure{}}
	for _, dir := range dirs {
		was, err := rundir.ReadFailure(op, dir)
		if err != nil {
			return nil, err
		}
		if was != nil {
			f.before[dir] = was.Attempt
		}
	}
	return f, nil
}

// Of returns the failure of a run; nil if it has none.
func (f *Failures) Of(dir string) (*rundir.Failure, error) {
	if here := f.here[dir]; here != nil {
		return here, nil
	}
	return rundir.ReadFailure(f.op, dir)
}

// Final reports whether a run failed and is not tried again by this process.
func (f *Failures) Final(dir string) (bool, error) {
	was, err := f.Of(dir)
	if was == nil || err != nil {
		return false, err
	}
	return was.Diverged || f.here[dir] != nil || was.Attempt != f.before[dir], nil
}

// Refuse notes that a run cannot even be claimed. The note is this process's own.
func (f *Failures) Refuse(dir string, err error) { f.here[dir] = rundir.FailureOf(err, 1) }

// Try calls do for a run that is claimed. A failure is recorded in its directory and is no error, unless the context
// has ended. tuned says that scores are tried, not the training.
func (f *Failures) Try(ctx context.Context, run *rundir.Run, tuned bool, do func() error) error {
	attempt := 1
	if was, _ := rundir.ReadFailure(f.op, run.Dir); was != nil {
		attempt = was.Attempt + 1
		if err := run.ClearFailure(); err != nil {
			return err
		}
	}
	err := do()
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	failed := rundir.FailureOf(err, attempt)
	failed.Tuned = tuned
	if err := run.WriteFailure(failed); err != nil { // as on a full disk, which may be why it failed
		f.here[run.Dir] = failed
	}
	return nil
}
