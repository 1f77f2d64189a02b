package brain

import (
	"context"
	"fmt"
	"slices"

	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/fault"
)

// everything is the group of all voxels, under a name that no region has; tunedGroup those that the loss looked at.
const (
	everything = ""
	tunedGroup = "tuned"
)

// groups are all voxels, the tuned ones, and the regions of the data set.
func (st *Study) groups(ctx context.Context) ([]stats.Group, error) {
	groups := []stats.Group{{Name: everything}, {Name: tunedGroup}}
	for _, p := range st.people {
		groups[1].Columns = append(groups[1].Columns, p.tuned)
	}
	for _, roi := range st.regions() {
		if roi == tunedGroup {
			return nil, fault.New(fault.BadData, "evaluate", st.Data.Name(), "%q means the tuned voxels, so no region can have that name", roi)
		}
		g := stats.Group{Name: roi}
		for _, p := range st.people {
			columns, err := region(ctx, st.Data, roi, p.name, p.voxels)
			if err != nil {
				return nil, err
			}
			g.Columns = append(g.Columns, columns)
		}
		groups = append(groups, g)
	}
	return groups, nil
}

// subjects puts predictions beside the responses of some people, story by story, as the bootstrap wants them.
func (e *Evaluation) subjects(who []int, base []prediction) []stats.Subject {
	out := make([]stats.Subject, len(who))
	for k, i := range who {
		p := e.study.people[i]
		out[k].Voxels = p.voxels
		from := 0
		for _, r := range p.parts[Test] {
			n := (r.To - r.From) * p.voxels
			s := stats.Story{Name: fmt.Sprintf("%s[%d:%d]", r.Story, r.From, r.To), Rows: r.To - r.From,
				Want: p.responses[r.Story].data[r.From*p.voxels : r.To*p.voxels], Base: base[i].pred[from : from+n]}
			if e.tuned != nil {
				s.Tuned = e.tuned[i].pred[from : from+n]
			}
			out[k].Stories = append(out[k].Stories, s)
			from += n
		}
	}
	return out
}

// Scores compares the systems on the test rows of the named people, all if none is named.
func (e *Evaluation) Scores(ctx context.Context, names ...string) (Scores, error) {
	s, _, err := e.score(ctx, names...)
	return s, err
}

// score is Scores with the test of tuned against base, nil if there is no tuned system.
func (e *Evaluation) score(ctx context.Context, names ...string) (out Scores, test *stats.Paired, err error) {
	st := e.study
	var who []int
	for i, p := range st.people {
		if len(names) == 0 || slices.Contains(names, p.name) {
			who = append(who, i)
			out.Subjects = append(out.Subjects, p.name)
			out.Rows = max(out.Rows, e.base[i].rows)
		}
	}
	groups := groupsOf(e.groups, who)
	b, test, err := e.against(ctx, who, e.base, groups)
	if err != nil {
		return out, nil, err
	}
	layer := st.scoredLayer()
	out.Base = bootstrapSystem(b, layer, func(g stats.GroupScore) stats.Score { return g.Base })
	out.Ceiling = e.ceiling(who)
	out.Base.OfCeiling = out.Base.shareOf(out.Ceiling)
	if e.tuned == nil {
		return out, nil, nil
	}
	best, testBest, err := e.against(ctx, who, e.best, groups)
	if err != nil {
		return out, nil, err
	}
	bestLayer := bootstrapSystem(best, &e.bestLayer, func(g stats.GroupScore) stats.Score { return g.Base })
	after := bootstrapSystem(b, e.layer, func(g stats.GroupScore) stats.Score { return *g.Tuned })
	bestLayer.OfCeiling, after.OfCeiling = bestLayer.shareOf(out.Ceiling), after.shareOf(out.Ceiling)
	out.BaseBestLayer, out.Tuned = &bestLayer, &after
	out.Delta, out.DeltaBest = e.delta(b, test), e.delta(best, testBest)
	return out, test, nil
}

// groupsOf restricts groups to some people.
func groupsOf(all []stats.Group, who []int) []stats.Group {
	out := slices.Clone(all)
	for g := range out {
		if all[g].Columns == nil {
			continue
		}
		out[g].Columns = nil
		for _, i := range who {
			out[g].Columns = append(out[g].Columns, all[g].Columns[i])
		}
	}
	return out
}

// bootstrapSystem reads one side of a bootstrap.
func bootstrapSystem(b *stats.Bootstrap, layer *int, side func(stats.GroupScore) stats.Score) System {
	s := System{Layer: layer, ROIs: map[string]float64{}}
	for _, g := range b.Groups {
		score := side(g)
		if g.Name == everything {
			s.MeanR, s.CI95 = score.Mean, score.CI95
			continue
		}
		s.ROIs[g.Name] = score.Mean
	}
	return s
}
