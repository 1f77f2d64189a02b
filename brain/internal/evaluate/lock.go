package evaluate

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/brain/analysisplan"
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/internal/encoding"
	"github.com/brainwavlm/bwlm/brain/internal/study"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
)

// LockAnalysis writes down, before the training, what the study will be judged by, with the hashes of its splits and masks. See
// package seal.
func LockAnalysis(ctx context.Context, st *study.Study, e analysisplan.Endpoints) (*analysisplan.Plan, error) {
	for _, region := range e.ROIs {
		for _, p := range st.Subjects {
			if _, err := st.Data.ROI(ctx, region, p.Name, p.Voxels); err != nil {
				return nil, err
			}
		}
	}
	groups, err := st.Groups(ctx)
	if err != nil {
		return nil, err
	}
	s := &analysisplan.Plan{Endpoints: e}
	s.Splits, s.Masks = sealed(st.Subjects, groups)
	if err := analysisplan.Check(st.Experiment.Out, s); err != nil {
		return nil, err
	}
	if s.Margins, err = margins(ctx, st, groups, e); err != nil {
		return nil, err
	}
	return s, analysisplan.Lock(st.Experiment.Out, s)
}

// margins are δ of each region that is an endpoint or auditory cortex, from the untuned model's score of the validation rows.
func margins(ctx context.Context, st *study.Study, groups []stats.Group, e analysisplan.Endpoints) (map[string]analysisplan.Margin, error) {
	groups = slices.DeleteFunc(slices.Clone(groups), func(g stats.Group) bool {
		return g.Columns == nil || g.Name == results.TunedGroup || !results.IsAuditory(g.Name) && !slices.Contains(e.ROIs, g.Name)
	})
	if e.Delta == 0 || len(groups) == 0 {
		return nil, nil
	}
	f, err := encoding.Read(ctx, st, st.Reader(st.Model), "read base", st.StoriesOf(study.Train, study.Val), st.ScoredLayers()...)
	if err != nil {
		return nil, err
	}
	scores, err := encoding.Validation(ctx, st, f, 0)
	if err != nil {
		return nil, err
	}
	out := map[string]analysisplan.Margin{}
	for _, g := range groups {
		r, people := 0., 0.
		for i, s := range scores {
			if mean, n := stats.Mean(s.R, s.Constant, g.Columns[i]); n > 0 {
				r, people = r+mean, people+1
			}
		}
		if r > 0 {
			out[g.Name] = analysisplan.Margin{BaseR: r / people, Delta: e.Delta * r / people}
		}
	}
	return out, nil
}

// sealed are the hashes of each person's splits and of the columns of each region.
func sealed(subjects []*study.Subject, groups []stats.Group) (splits, masks map[string]string) {
	splits, masks = map[string]string{}, map[string]string{}
	for i, p := range subjects {
		parts := map[string][]design.Rows{}
		for _, split := range study.Splits {
			parts[split.String()] = p.Parts[split]
		}
		splits[p.Name] = analysisplan.Hash(parts)
		for _, g := range groups {
			if g.Columns != nil {
				masks[p.Name+"/"+g.Name] = analysisplan.Hash(g.Columns[i])
			}
		}
	}
	return splits, masks
}

// look is called wherever test rows are scored. It counts the look if the study is sealed, and refuses it if what was
// sealed has changed; nil if nothing is sealed.
func look(st *study.Study, what string, subjects []*study.Subject, groups []stats.Group) (*analysisplan.Status, error) {
	if st.Experiment.Out == "" {
		return nil, nil
	}
	l := analysisplan.TestRead{By: st.Options.Purpose, What: what}
	for _, p := range subjects {
		l.Subjects = append(l.Subjects, p.Name)
	}
	splits, masks := sealed(subjects, groups)
	return analysisplan.RecordTestRead(st.Experiment.Out, l, splits, masks)
}
