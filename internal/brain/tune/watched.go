package tune

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// mostWatched is the number of voxels of an ROI that are scored after each epoch. Of a larger ROI they are a sample:
// every k-th.
const mostWatched = 2000

// watched returns the voxels of each subject that are scored after each epoch, ascending: those that choose the epoch,
// which are the tuned and the retained ones, and where details are shown, those of ROIs. All voxels are scored at the
// chosen epoch, by the evaluation.
func (t *Trainer) watched(ctx context.Context) ([][]int, error) {
	var rois []stats.Group
	if t.Study.Options.Details {
		var err error
		if rois, err = watchedROIs(ctx, t.Study); err != nil {
			return nil, err
		}
	}
	out := make([][]int, len(t.Study.Subjects))
	for i, p := range t.Study.Subjects {
		out[i] = slices.Clone(p.Tuned)
		if t.Retention != nil {
			out[i] = append(out[i], t.Retention.columns[i]...)
		}
		for _, g := range rois {
			out[i] = append(out[i], g.Columns[i]...)
		}
		slices.Sort(out[i])
		out[i] = slices.Compact(out[i])
	}
	return out, nil
}

// watchedROIs returns the ROIs that are shown after each epoch, with the voxels that are scored.
func watchedROIs(ctx context.Context, st *study.Study) (out []stats.Group, err error) {
	groups, err := st.Groups(ctx)
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		if g.Name == study.Everything || g.Name == study.TunedGroup {
			continue
		}
		columns := make([][]int, len(g.Columns))
		for i, all := range g.Columns {
			if columns[i] = all; len(all) > mostWatched {
				columns[i] = make([]int, mostWatched)
				for k := range columns[i] {
					columns[i][k] = all[k*len(all)/mostWatched]
				}
				st.Note("%s: after each epoch %d of the %d voxels of %s stand for all; the evaluation scores all",
					st.Subjects[i].Name, mostWatched, len(all), g.Name)
			}
		}
		out = append(out, stats.Group{Name: g.Name, Columns: columns})
	}
	return out, nil
}
