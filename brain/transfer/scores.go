package transfer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/evaluate"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/brain/tune"
	"github.com/brainwavlm/bwlm/internal/jsonfile"
	"github.com/brainwavlm/bwlm/internal/rundir"
)

// scored is the content of the file with the scores of one tuning, or of the untuned model.
type scored struct {
	Settings string                    `json:"settings_sha256"`
	Data     string                    `json:"data_sha256,omitempty"` // of all inputs of the study
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

// read reads the scores at the given shares from a file; nil if they are not there. A file of another experiment is a
// fault of kind Exists.
func (t *runner) read(file string, at []float64) (*scored, error) {
	s := &scored{}
	err := jsonfile.ReadOwn(op, filepath.Dir(file), filepath.Base(file), s)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	if s.Settings != t.settings || !slices.Equal(s.Subjects, t.subjects) {
		return nil, fault.New(fault.Exists, op, file, "has the scores of another experiment").
			WithHint("choose another out, or remove %s", filepath.Dir(filepath.Dir(file)))
	}
	if !containsAll(s.Shares, at) || len(s.Scores) != len(s.Shares) {
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

// dataHash returns a hash of all inputs, which are read once.
func (t *runner) dataHash(ctx context.Context) (string, error) {
	if t.data == "" {
		m, err := t.study.Manifest(ctx)
		if err != nil {
			return "", err
		}
		h := sha256.New()
		for _, in := range m.Inputs {
			fmt.Fprintf(h, "%q %s\n", in.Path, in.SHA256)
		}
		t.data = hex.EncodeToString(h.Sum(nil))
	}
	return t.data, nil
}

// sameData refuses scores of other data than those of the untuned model.
func (t *runner) sameData(untuned, u *tuning) error {
	a, b := untuned.scores.Data, u.scores.Data
	if a == b || a == "" || b == "" {
		return nil
	}
	return fault.New(fault.BadData, op, t.dir(), "the data changed between the scores of %s and of %s: they cannot "+
		"stand in one table", untuned.name, u.name).
		WithHint("put the data back, or remove the folder: the same command makes all scores anew")
}

// scoreUntuned scores the untuned model.
func (t *runner) scoreUntuned(ctx context.Context, u *tuning) error {
	scores, err := evaluate.ScoreSubjects(ctx, t.study, nil, u.at)
	if err != nil {
		return err
	}
	data, err := t.dataHash(ctx)
	if err != nil {
		return err
	}
	return jsonfile.Write(t.file(u), &scored{Settings: t.settings, Data: data, Subjects: t.subjects, Shares: u.at,
		Scores: scores})
}

// tune tunes a model in a run that is claimed, or resumes it, and scores it.
func (t *runner) tune(ctx context.Context, u *tuning, run *rundir.Run) error {
	exp := t.experiment(u)
	v, err := t.study.Vary(ctx, exp)
	if err != nil {
		return err
	}
	if run.Fresh() {
		if err := v.BeginIn(ctx, run); err != nil {
			return err
		}
	}
	p, err := tune.Fit(ctx, v, run)
	if err != nil {
		return err
	}
	model, err := v.LoadTuned(ctx, run)
	if err != nil {
		return err
	}
	defer model.Close()
	data, err := t.dataHash(ctx)
	if err != nil {
		return err
	}
	s := &scored{Settings: t.settings, Data: data, Subjects: t.subjects, Sources: u.sources, Target: u.target,
		Chosen: p.Epochs[p.Best].Epoch, Shares: u.at}
	last := len(u.at) - 1
	if part := u.at[:last]; len(part) > 0 {
		if s.Scores, err = evaluate.ScoreSubjects(ctx, t.study, model, part, u.target); err != nil {
			return err
		}
	}
	full, err := evaluate.ScoreSubjects(ctx, t.study, model, u.at[last:])
	if err != nil {
		return err
	}
	s.Scores = append(s.Scores, full...)
	if u.target != "" {
		if s.Unseen, err = t.unseenStories(ctx, model, u.target, u.sources); err != nil {
			return err
		}
	}
	return jsonfile.Write(t.file(u), s)
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
