package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/subrun"
)

// Part is a part of a transfer study.
type Part string

// The parts of a transfer study.
const (
	Matrix      Part = "matrix"        // one tuning per subject, tested on every subject
	LeaveOneOut Part = "leave-one-out" // tuned on all subjects but one, tested on that one
	Curve       Part = "curve"         // score against minutes of data of the subjects left out
)

// parts lists all parts.
var parts = []Part{Matrix, LeaveOneOut, Curve}

// shares of a new subject's training rows along the curve.
var shares = []float64{.125, .25, .375, .5, .625, .75, .875, 1}

// Options configures a transfer study. The zero value runs all parts.
type Options struct {
	Only []Part // the parts to run; empty: all
	// Begin is called before each tuning, and when only those of other processes are left; it may be nil.
	Begin func(progress.RunStatus)
}

// ResolveSubjects returns the names of the subjects that take part. Names may be globs; without names it
// returns the subjects that an experiment trains on by default. It is an error if a name is not in the
// data set, if a subject is derived from others (one of those could be a test subject), or if there are
// fewer than two.
func ResolveSubjects(data *dataset.Dataset, names []string) ([]string, error) {
	refuse := func(where, why string, args ...any) ([]string, error) {
		return nil, fault.New(fault.BadData, "transfer", where, why, args...).WithHint("name some of %s",
			strings.Join(data.SubjectNames(), ", "))
	}
	found, err := data.Subjects(names...)
	if err != nil {
		if f, ok := errors.AsType[*fault.Error](err); ok {
			return refuse(f.Path, "%s", f.Reason)
		}
		return nil, err
	}
	for _, name := range found {
		if data.IsDerived(name) {
			return refuse(name, "is derived from other subjects, and may be tested on one of them")
		}
	}
	if len(found) < 2 {
		return refuse(strings.Join(found, ", "), "one subject, transfer needs two or more")
	}
	return found, nil
}

// runner is a Run in progress.
type runner struct {
	study    *study.Study
	opt      Options
	subjects []string
	settings string // hash of the experiment: scores of other settings are not reused
	data     string // hash of all inputs, once it is known
	result   *results.Transfer
	failures *subrun.Failures
}

// Run tunes and scores what is not finished and returns the tables. The study must contain all subjects
// that take part: opening it has then refused test rows of any subject that overlap with tuning rows of
// any other. Each tuning is a run directory below transfer/ in the experiment's directory: a finished one
// is read, an interrupted one resumes. The tables are written to transfer/transfer.json and
// transfer/transfer.csv.
//
// Several processes may call Run with equal studies and options: each works on the tunings that no other one has
// locked, and when all are finished each returns and writes the same tables. A tuning that fails is in Failed of the
// result, whose means are over the others; a call tries it again, unless its loss was not finite. If all fail, the
// first failure is an error. A directory of another experiment is a fault of kind Exists.
func Run(ctx context.Context, st *brain.Study, opt Options) (*results.Transfer, error) {
	return run(ctx, st.Internal(), opt)
}

func run(ctx context.Context, st *study.Study, opt Options) (*results.Transfer, error) {
	for _, part := range opt.Only {
		if !slices.Contains(parts, part) {
			return nil, fault.New(fault.Usage, "transfer", string(part), "there is no such part").
				WithHint("name some of %s, %s, %s", Matrix, LeaveOneOut, Curve)
		}
	}
	if st.Experiment.Train.Mode == experiment.TrainReadout {
		return nil, fault.New(fault.Usage, "transfer", "train.mode",
			"readout tunes nothing that another subject could use").
			WithHint("set train.mode: lora")
	}
	subjects, err := ResolveSubjects(st.Data, st.SubjectNames())
	if err != nil {
		return nil, err
	}
	t := &runner{study: st, opt: opt, subjects: subjects,
		result: &results.Transfer{Schema: 1, Subjects: subjects, Notes: slices.Clone(st.Notes)}}
	if t.settings, err = settings(st); err != nil {
		return nil, err
	}
	return t.result, t.run(ctx)
}

// settings returns a hash of the experiment without its directory.
func settings(st *study.Study) (string, error) {
	exp := *st.Experiment
	exp.Out = ""
	h := sha256.New()
	if err := exp.Write(h); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// does reports whether a part is to be run.
func (t *runner) does(part Part) bool {
	return len(t.opt.Only) == 0 || slices.Contains(t.opt.Only, part)
}

func (t *runner) run(ctx context.Context) error {
	if t.opt.Begin == nil {
		t.opt.Begin = func(progress.RunStatus) {}
	}
	matrix, left, curve := t.does(Matrix), t.does(LeaveOneOut), t.does(Curve)
	at := t.possibleShares()
	untuned := &tuning{name: "untuned", at: at}
	var from, without []*tuning
	for _, subject := range t.subjects {
		if matrix {
			from = append(from, &tuning{name: "from-" + subject, sources: []string{subject}, at: []float64{1}})
		}
		if left || curve {
			without = append(without, &tuning{name: "without-" + subject, sources: t.others(subject), at: at,
				target: subject})
		}
	}
	if err := t.work(ctx, untuned, slices.Concat(from, without)); err != nil {
		return err
	}
	setBase(t.result, untuned.scores)
	if matrix {
		setMatrix(t.result, scoresOf(from), t.seed())
	}
	if left {
		setLeaveOneOut(t.result, untuned.scores, scoresOf(without), t.seed())
	}
	if curve {
		t.result.Curve = curveOf(t.result, untuned.scores, scoresOf(without), t.seed())
	}
	return write(t.result, t.dir())
}

func (t *runner) dir() string  { return filepath.Join(t.study.Experiment.Out, "transfer") }
func (t *runner) seed() uint64 { return t.study.Experiment.Train.Seed }

// others returns all subjects but one.
func (t *runner) others(target string) []string {
	return slices.DeleteFunc(slices.Clone(t.subjects), func(s string) bool { return s == target })
}

// possibleShares returns the shares of the curve that leave every subject enough rows for
// cross-validation.
func (t *runner) possibleShares() []float64 {
	if !t.does(Curve) {
		return []float64{1}
	}
	least := 0
	for _, name := range t.subjects {
		rows := 0
		for _, r := range t.study.Rows(name, study.Train) {
			rows += r.To - r.From
		}
		if least == 0 || rows < least {
			least = rows
		}
	}
	chunk := t.study.Experiment.Eval.ChunkRows
	var out []float64
	for _, share := range shares {
		if int(share*float64(least)) > 2*chunk || share == 1 {
			out = append(out, share)
		}
	}
	if left := len(shares) - len(out); left > 0 {
		t.result.Notes = append(t.result.Notes, fmt.Sprintf("the curve begins at %g %% of the training rows: "+
			"fewer do not make three chunks of %d rows (eval.chunk_rows) for cross-validation", 100*out[0], chunk))
	}
	return out
}
