package rundir

import (
	"errors"
	"io/fs"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
)

// The files by which processes that share the runs of a folder know of each other's work.
const (
	tuningFile  = "tuning.json"
	failureFile = "failed.json"
)

// Tuning is the outcome of a training whose test rows may not have been scored.
type Tuning struct {
	Schema int             `json:"schema"`
	Epochs []results.Epoch `json:"epochs"`
	Chosen int             `json:"chosen_epoch"`
}

// WriteTuning writes the outcome of a training that has come to its end.
func (r *Run) WriteTuning(p *Progress) error {
	return jsonfile.Write(r.File(tuningFile), Tuning{1, p.Epochs, p.Epochs[p.Best].Epoch})
}

// ReadTuning returns the outcome of the training in a directory; nil if it has not come to its end. Scores say it, too.
func ReadTuning(op, dir string) (*Tuning, error) {
	out := &Tuning{}
	err := jsonfile.ReadOwn(op, dir, tuningFile, out)
	if err == nil && len(out.Epochs) > 0 {
		return out, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	s, err := Scores(op, dir)
	if s == nil || err != nil {
		return nil, err
	}
	return &Tuning{1, s.Epochs, s.Chosen}, nil
}

// Failure says why a run of several has no outcome.
type Failure struct {
	Schema   int    `json:"schema"`
	Attempt  int    `json:"attempt"` // from 1
	Reason   string `json:"error"`
	Code     int    `json:"exit_code"` // of a command that had made this run alone
	Diverged bool   `json:"diverged"`  // the loss was not finite
	Tuned    bool   `json:"tuned"`     // its scores failed, not its training
}

// FailureOf describes an error of a run.
func FailureOf(err error, attempt int) *Failure {
	f := &Failure{Schema: 1, Attempt: attempt, Reason: err.Error(), Code: int(fault.KindOf(err))}
	if e, ok := errors.AsType[*fault.Error](err); ok {
		f.Diverged = e.Kind == fault.BadData && e.Op == "tune" // the loss is not finite
	}
	return f
}

// WriteFailure records why a run failed.
func (r *Run) WriteFailure(f *Failure) error { return jsonfile.Write(r.File(failureFile), f) }

// ClearFailure removes the record of a failure, as the run is tried again.
func (r *Run) ClearFailure() error { return Discard(r.File(failureFile)) }

// ReadFailure returns the failure of the run in a directory; nil if there is none.
func ReadFailure(op, dir string) (*Failure, error) {
	f := &Failure{}
	err := jsonfile.ReadOwn(op, dir, failureFile, f)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// AtWork reports whether another process holds the lock of a run directory.
func AtWork(dir string) bool { return (&Run{Dir: dir}).Holder() != "" }
