package evaluate

import (
	"cmp"
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/analysisplan"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// LockAnalysis locks the endpoints of a study, with the hashes of its splits and masks. See package analysisplan.
func LockAnalysis(ctx context.Context, st *study.Study, e results.Endpoints) (*results.AnalysisPlan, error) {
	for _, roi := range e.ROIs {
		for _, p := range st.Subjects {
			if _, err := st.Data.ROI(ctx, roi, p.Name, p.Voxels); err != nil {
				return nil, err
			}
		}
	}
	groups, err := st.Groups(ctx)
	if err != nil {
		return nil, err
	}
	s := &results.AnalysisPlan{Endpoints: e}
	s.Splits, s.Masks = hashes(st, st.Subjects, groups)
	if err := analysisplan.Check(st.Experiment.Out, s); err != nil {
		return nil, err
	}
	if s.Margins, err = margins(ctx, st, groups, e); err != nil {
		return nil, err
	}
	return s, analysisplan.Lock(st.Experiment.Out, s)
}

// margins returns δ of each ROI that is an endpoint or auditory cortex, from the untuned model's
// score of the validation rows.
func margins(ctx context.Context, st *study.Study, groups []stats.Group,
	e results.Endpoints) (map[string]results.Margin, error) {
	groups = slices.DeleteFunc(slices.Clone(groups), func(g stats.Group) bool {
		return g.Columns == nil || g.Name == study.TunedGroup || !isAuditory(g.Name) &&
			!slices.Contains(e.ROIs, g.Name)
	})
	if e.Delta == 0 || len(groups) == 0 {
		return nil, nil
	}
	f, err := encoding.Read(ctx, st, st.Reader(st.Model), progress.Read("base"), st.StoriesOf(study.Train, study.Val),
		st.ScoredLayers()...)
	if err != nil {
		return nil, err
	}
	columns := make([][]int, len(st.Subjects))
	for i := range columns {
		for _, g := range groups {
			columns[i] = append(columns[i], g.Columns[i]...)
		}
		slices.Sort(columns[i])
		columns[i] = slices.Compact(columns[i])
	}
	scores, err := encoding.Validation(ctx, st, f, columns, nil, nil)
	if err != nil {
		return nil, err
	}
	out := map[string]results.Margin{}
	for _, g := range groups {
		r, n := 0., 0.
		for i, s := range scores {
			own, constant := s.Of(g.Columns[i])
			if mean, voxels := stats.Mean(own, constant, nil); voxels > 0 {
				r, n = r+mean, n+1
			}
		}
		if r > 0 {
			out[g.Name] = results.Margin{BaseR: r / n, Delta: e.Delta * r / n}
		}
	}
	return out, nil
}

// hashes returns the hashes of each subject's splits and of the columns of each ROI. Splits of clips are their names:
// rows alone are the same for other clips, which stand in the order of the splits.
func hashes(st *study.Study, subjects []*study.Subject, groups []stats.Group) (splits, masks map[string]string) {
	splits, masks = map[string]string{}, map[string]string{}
	for i, p := range subjects {
		parts, clips := map[string][]design.Rows{}, map[string][]string{}
		for _, split := range study.Splits {
			parts[split.String()] = p.Parts[split]
			if st.Data.IsEvents() {
				clips[split.String()] = slices.Sorted(slices.Values(st.Clips(p.Parts[split])))
			}
		}
		if splits[p.Name] = analysisplan.Hash(parts); st.Data.IsEvents() {
			splits[p.Name] = analysisplan.Hash(clips)
		}
		for _, g := range groups {
			if g.Columns != nil {
				masks[p.Name+"/"+g.Name] = analysisplan.Hash(g.Columns[i])
			}
		}
	}
	return splits, masks
}

// recordTestRead counts a read of the test rows if an analysis plan is locked, and refuses it if
// splits or masks differ from the plan. It returns nil if none is locked.
func recordTestRead(st *study.Study, what string, subjects []*study.Subject,
	groups []stats.Group) (*results.PlanStatus, error) {
	out := cmp.Or(st.PlanOut, st.Experiment.Out)
	if out == "" {
		return nil, nil
	}
	l := analysisplan.TestRead{By: st.Options.Purpose, What: what}
	for _, p := range subjects {
		l.Subjects = append(l.Subjects, p.Name)
	}
	splits, masks := hashes(st, subjects, groups)
	return analysisplan.RecordTestRead(out, l, splits, masks)
}
