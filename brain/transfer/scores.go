package transfer

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
)

// scored is the content of the file with the scores of one tuning, or of the untuned model.
type scored struct {
	Settings string                    `json:"settings_sha256"`
	Subjects []string                  `json:"subjects"`
	Sources  []string                  `json:"sources,omitempty"` // the subjects tuned on
	Target   string                    `json:"left_out,omitempty"`
	Chosen   int                       `json:"chosen_epoch"`
	Shares   []float64                 `json:"shares"`
	Scores   [][]evaluate.SubjectScore `json:"scores"` // by share; of the left-out subject only if the share is not 1
	Unseen   *unseen                   `json:"unmet,omitempty"`
}

// unseen holds the left-out subject's scores by a ridge that, too, is fitted on stories which the
// tuning did not contain.
type unseen struct {
	Stories []string               `json:"stories,omitempty"`
	Skipped string                 `json:"skipped,omitempty"`
	Base    *evaluate.SubjectScore `json:"base,omitempty"`
	Tuned   *evaluate.SubjectScore `json:"tuned,omitempty"`
}

// allRows returns the scores with all training rows.
func (s *scored) allRows() []evaluate.SubjectScore { return s.Scores[len(s.Scores)-1] }

// read reads the scores at the given shares from a file; nil if there is none or it has other
// settings.
func (t *runner) read(file string, at []float64) (*scored, error) {
	s := &scored{}
	err := jsonfile.ReadOwn("transfer", filepath.Dir(file), filepath.Base(file), s)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	same := s.Settings == t.settings && slices.Equal(s.Subjects, t.subjects)
	if !same || !containsAll(s.Shares, at) || len(s.Scores) != len(s.Shares) {
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

func containsAll(all, some []float64) bool {
	return !slices.ContainsFunc(some, func(x float64) bool { return !slices.Contains(all, x) })
}

// untuned returns the scores of the untuned model, which it computes unless they are in its file.
func (t *runner) untuned(ctx context.Context, at []float64) (*scored, error) {
	file := filepath.Join(t.dir(), "untuned.json")
	s, err := t.read(file, at)
	if s != nil || err != nil {
		return s, err
	}
	s = &scored{Settings: t.settings, Subjects: t.subjects, Shares: at}
	if s.Scores, err = evaluate.ScoreSubjects(ctx, t.study, nil, at); err != nil {
		return nil, err
	}
	return s, writeScores(file, s)
}

// tuned returns the scores of a model tuned on the sources, which it tunes unless the scores are in
// their file. target is the subject left out, if any.
func (t *runner) tuned(ctx context.Context, name string, sources []string, at []float64, target string) (*scored,
	error) {
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
	s = &scored{Settings: t.settings, Subjects: t.subjects, Sources: sources, Target: target,
		Chosen: p.Epochs[p.Best].Epoch, Shares: at}
	if part := at[:len(at)-1]; len(part) > 0 {
		if s.Scores, err = evaluate.ScoreSubjects(ctx, t.study, model, part, target); err != nil {
			return nil, err
		}
	}
	full, err := evaluate.ScoreSubjects(ctx, t.study, model, at[len(at)-1:])
	if err != nil {
		return nil, err
	}
	s.Scores = append(s.Scores, full...)
	if target != "" {
		if s.Unseen, err = t.unseenStories(ctx, model, target, sources); err != nil {
			return nil, err
		}
	}
	return s, writeScores(file, s)
}

// unseenStories scores a left-out subject by a ridge on stories that the tuning did not contain, if
// the subject has enough of them.
func (t *runner) unseenStories(ctx context.Context, model *study.Tuned, target string, sources []string) (*unseen,
	error) {
	stories, err := evaluate.Unmet(ctx, t.study, target, sources...)
	if err != nil {
		return nil, err
	}
	u := &unseen{Stories: stories}
	if len(stories) == 0 {
		u.Skipped = target + " has no story that shares nothing with tuning and test rows"
		return u, nil
	}
	u.Base, u.Tuned, err = evaluate.ScoreOn(ctx, t.study, model, target, stories)
	if ctx.Err() == nil && fault.KindOf(err) == fault.BadData { // such as too few rows
		return &unseen{Stories: stories, Skipped: err.Error()}, nil
	}
	return u, err
}

// writeScores writes a file of scores, and its folder if there is none.
func writeScores(file string, s *scored) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return fault.Wrap(fault.IO, "transfer", file, err)
	}
	return jsonfile.Write(file, s)
}
