package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/brain"
	"github.com/brainwavlm/bwlm/brain/dataset"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/internal/evaluate"
	"github.com/brainwavlm/bwlm/brain/internal/study"
	"github.com/brainwavlm/bwlm/brain/internal/tune"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
)

// The parts of a transfer study.
const (
	Matrix          = "matrix"
	LeaveOneOutPart = "leave-one-out"
	PartCurve       = "curve" // of the people left out
)

// Parts are all of them.
var Parts = []string{Matrix, LeaveOneOutPart, PartCurve}

// shares of a new person's training rows along the curve.
var shares = []float64{.125, .25, .375, .5, .625, .75, .875, 1}

// Options say what to do. The zero value does everything.
type Options struct {
	Only  []string                           // parts; none: all
	Begin func(run string, index, total int) // told of each tuning before it begins or is read; may be nil
}

// People checks the names of those who take part: nil if they are all in the data set, none is made from others, and there
// are at least two. None given are those that the experiment would train on.
func ResolveSubjects(data *dataset.Dataset, names []string) ([]string, error) {
	refuse := func(where, why string, args ...any) ([]string, error) {
		return nil, fault.New(fault.BadData, "transfer", where, why, args...).WithHint("name some of %s", strings.Join(data.People(), ", "))
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
			return refuse(name, "is made from people, among them perhaps those that it would be tested on")
		}
	}
	if len(found) < 2 {
		return refuse(strings.Join(found, ", "), "one person, transfer needs two or more")
	}
	return found, nil
}

// runner is a Run in progress.
type runner struct {
	study    *study.Study
	opt      Options
	subjects []string
	settings string // hash of the experiment: scores of other settings are not read
	result   *Result
	begun    int
	total    int
}

// Run tunes and scores what is not there yet and tabulates everything. The study is one of all people that take part, which
// has refused rows of anybody's test that anybody's tuning would meet. Each tuning is a run of its own below
// transfer/ in the experiment's directory, and so are the scores: a finished one is read, an interrupted one goes on.
// The tables are left in transfer/transfer.json and transfer/transfer.csv.
func Run(ctx context.Context, of *brain.Study, opt Options) (*Result, error) {
	return run(ctx, of.Internal(), opt)
}

func run(ctx context.Context, st *study.Study, opt Options) (*Result, error) {
	for _, name := range opt.Only {
		if !slices.Contains(Parts, name) {
			return nil, fault.New(fault.Usage, "transfer", name, "there is no such part").WithHint("name some of %s", strings.Join(Parts, ", "))
		}
	}
	if st.Experiment.Train.Mode == experiment.TrainReadout {
		return nil, fault.New(fault.Usage, "transfer", "train.mode", "readout tunes nothing that another person could use").WithHint("set train.mode: lora")
	}
	people, err := ResolveSubjects(st.Data, st.SubjectNames())
	if err != nil {
		return nil, err
	}
	t := &runner{study: st, opt: opt, subjects: people, result: &Result{Schema: 1, Subjects: people, Notes: slices.Clone(st.Notes)}}
	if t.settings, err = settings(st); err != nil {
		return nil, err
	}
	return t.result, t.run(ctx)
}

// settings hashes the experiment but for its directory.
func settings(st *study.Study) (string, error) {
	exp := *st.Experiment
	exp.Out = ""
	h := sha256.New()
	if err := exp.Write(h); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func (t *runner) does(part string) bool {
	return len(t.opt.Only) == 0 || slices.Contains(t.opt.Only, part)
}

func (t *runner) run(ctx context.Context) error {
	matrix, left, curve := t.does(Matrix), t.does(LeaveOneOutPart), t.does(PartCurve)
	if matrix {
		t.total += len(t.subjects)
	}
	if left || curve {
		t.total += len(t.subjects)
	}
	at := t.possible()
	base, err := t.scores(ctx, "untuned", at, nil)
	if err != nil {
		return err
	}
	r := t.result
	r.base(base)
	if matrix {
		for _, source := range t.subjects {
			s, err := t.tuned(ctx, "from-"+source, []string{source}, []float64{1}, "")
			if err != nil {
				return err
			}
			r.row(s)
		}
		r.matrix(t.seed())
	}
	if left || curve {
		var all []*scored
		for _, target := range t.subjects {
			s, err := t.tuned(ctx, "without-"+target, t.others(target), at, target)
			if err != nil {
				return err
			}
			all = append(all, s)
		}
		if left {
			r.leftOut(all, t.seed())
		}
		if curve {
			r.curve(base, all, t.seed())
		}
	}
	return r.write(t.dir())
}

func (t *runner) dir() string  { return filepath.Join(t.study.Experiment.Out, "transfer") }
func (t *runner) seed() uint64 { return t.study.Experiment.Train.Seed }

// others are all people but one.
func (t *runner) others(target string) []string {
	return slices.DeleteFunc(slices.Clone(t.subjects), func(s string) bool { return s == target })
}

// possible are the shares of the curve that leave everybody with rows to cross-validate on.
func (t *runner) possible() []float64 {
	if !t.does(PartCurve) {
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
		t.note("the curve begins at %g %% of the training rows: less is not three chunks of %d rows (eval.chunk_rows) to cross-validate on", 100*out[0], chunk)
	}
	return out
}

func (t *runner) note(format string, args ...any) {
	t.result.Notes = append(t.result.Notes, fmt.Sprintf(format, args...))
}

// scored is the outcome of one tuning, as its file has it.
type scored struct {
	Settings string                    `json:"settings_sha256"`
	Subjects []string                  `json:"subjects"`
	Sources  []string                  `json:"sources,omitempty"` // that were tuned on
	Target   string                    `json:"left_out,omitempty"`
	Chosen   int                       `json:"chosen_epoch"`
	Shares   []float64                 `json:"shares"`
	Scores   [][]evaluate.SubjectScore `json:"scores"` // by share; of the left-out person alone where that is not 1
	Unmet    *unmet                    `json:"unmet,omitempty"`
}

// unmet is the left-out person's score where the ridge, too, is fitted on stories that no tuning has met.
type unmet struct {
	Stories []string               `json:"stories,omitempty"`
	Skipped string                 `json:"skipped,omitempty"`
	Base    *evaluate.SubjectScore `json:"base,omitempty"`
	Tuned   *evaluate.SubjectScore `json:"tuned,omitempty"`
}

// last are the scores with all training rows.
func (s *scored) last() []evaluate.SubjectScore { return s.Scores[len(s.Scores)-1] }

// read gives the scores of a file; nil if it is not there, or of another question.
func (t *runner) read(file string, at []float64) (*scored, error) {
	s := &scored{}
	err := jsonfile.Read("transfer", file, s)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	if s.Settings != t.settings || !slices.Equal(s.Subjects, t.subjects) || !contains(s.Shares, at) || len(s.Scores) != len(s.Shares) {
		return nil, nil
	}
	var kept [][]evaluate.SubjectScore
	for i, share := range s.Shares {
		if slices.Contains(at, share) {
			kept = append(kept, s.Scores[i])
		}
	}
	s.Shares, s.Scores = at, kept
	return s, nil
}

func contains(all, some []float64) bool {
	return !slices.ContainsFunc(some, func(x float64) bool { return !slices.Contains(all, x) })
}

// scores gives those of the untuned model, from its file if it is there.
func (t *runner) scores(ctx context.Context, name string, at []float64, model *study.Tuned) (*scored, error) {
	file := filepath.Join(t.dir(), name+".json")
	s, err := t.read(file, at)
	if s != nil || err != nil {
		return s, err
	}
	s = &scored{Settings: t.settings, Subjects: t.subjects, Shares: at}
	if s.Scores, err = evaluate.ScorePeople(ctx, t.study, model, at); err != nil {
		return nil, err
	}
	return s, write(file, s)
}

// tuned gives the scores of a tuning on some people, which it does if it is not there. A target is who was left out.
func (t *runner) tuned(ctx context.Context, name string, sources []string, at []float64, target string) (*scored, error) {
	if t.opt.Begin != nil {
		t.opt.Begin(name, t.begun, t.total)
	}
	t.begun++
	exp := *t.study.Experiment
	exp.Data.Subjects, exp.Out = sources, filepath.Join(t.dir(), name)
	file := filepath.Join(exp.Out, "scores.json")
	s, err := t.read(file, at)
	if s != nil || err != nil {
		return s, err
	}
	v, err := t.study.Vary(ctx, &exp)
	if err != nil {
		return nil, err
	}
	run, err := v.StartOrResume(ctx)
	if err != nil {
		return nil, err
	}
	defer run.Close()
	p, err := tune.Fit(ctx, v, run)
	if err != nil {
		return nil, err
	}
	model, err := v.LoadTuned(ctx, run)
	if err != nil {
		return nil, err
	}
	defer model.Close()
	s = &scored{Settings: t.settings, Subjects: t.subjects, Sources: sources, Target: target, Chosen: p.Epochs[p.Best].Epoch, Shares: at}
	if part := at[:len(at)-1]; len(part) > 0 {
		if s.Scores, err = evaluate.ScorePeople(ctx, t.study, model, part, target); err != nil {
			return nil, err
		}
	}
	full, err := evaluate.ScorePeople(ctx, t.study, model, at[len(at)-1:])
	if err != nil {
		return nil, err
	}
	s.Scores = append(s.Scores, full...)
	if target != "" {
		if s.Unmet, err = t.unmet(ctx, model, target, sources); err != nil {
			return nil, err
		}
	}
	return s, write(file, s)
}

// unmet scores a new person by a ridge on stories that no tuning has met, if the person has heard enough of such.
func (t *runner) unmet(ctx context.Context, model *study.Tuned, target string, sources []string) (*unmet, error) {
	stories, err := evaluate.Unmet(ctx, t.study, target, sources...)
	if err != nil {
		return nil, err
	}
	u := &unmet{Stories: stories}
	if len(stories) == 0 {
		u.Skipped = target + " has heard no story of which nothing was met in tuning or is tested"
		return u, nil
	}
	u.Base, u.Tuned, err = evaluate.ScoreOn(ctx, t.study, model, target, stories)
	if ctx.Err() == nil && fault.KindOf(err) == fault.BadData { // too few rows, most of all
		return &unmet{Stories: stories, Skipped: err.Error()}, nil
	}
	return u, err
}

// write leaves a value as JSON.
func write(file string, v any) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fault.Wrap(fault.IO, "transfer", file, err)
	}
	return jsonfile.Write(file, v)
}
