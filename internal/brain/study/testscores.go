package study

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/brain/stats"
)

// Groups returns the groups of voxels that are scored: all, the tuned ones, and the ROIs of the data set. The responses
// are measured before, since tuned voxels vary.
func (st *Study) Groups(ctx context.Context) ([]stats.Group, error) {
	if err := st.Measure(ctx); err != nil {
		return nil, err
	}
	return st.PlannedGroups(ctx)
}

// PlannedGroups is Groups before the responses are read: tuned voxels are those of the tuned ROIs.
func (st *Study) PlannedGroups(ctx context.Context) ([]stats.Group, error) {
	groups := []stats.Group{{Name: Everything}, {Name: TunedGroup}}
	for _, p := range st.Subjects {
		groups[1].Columns = append(groups[1].Columns, p.Tuned)
	}
	for _, roi := range st.regions() {
		g := stats.Group{Name: roi}
		for _, p := range st.Subjects {
			columns, err := Region(ctx, st.Data, roi, p.Name, p.Voxels)
			if err != nil {
				return nil, err
			}
			g.Columns = append(g.Columns, columns)
		}
		groups = append(groups, g)
	}
	return groups, nil
}

// GroupsOf returns groups restricted to some subjects.
func GroupsOf(all []stats.Group, indices []int) []stats.Group {
	out := slices.Clone(all)
	for g := range out {
		if all[g].Columns == nil {
			continue
		}
		out[g].Columns = nil
		for _, i := range indices {
			out[g].Columns = append(out[g].Columns, all[g].Columns[i])
		}
	}
	return out
}
