package evaluate

import (
	"context"
	"fmt"
	"slices"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// subjects joins predictions and responses of some subjects, story by story, for the bootstrap.
func (e *Evaluation) subjects(ctx context.Context, indices []int, base []encoding.Prediction) ([]stats.Subject, error) {
	out := make([]stats.Subject, len(indices))
	for k, i := range indices {
		p := e.Study.Subjects[i]
		out[k].Voxels = p.Voxels
		if e.Resolution != nil {
			out[k].Resolution = e.Resolution[i]
		}
		want, err := e.responses(ctx, i)
		if err != nil {
			return nil, err
		}
		from := 0
		for _, r := range p.Parts[study.Test] {
			n := (r.To - r.From) * p.Voxels
			s := stats.Story{Name: fmt.Sprintf("%s[%d:%d]", r.Story, r.From, r.To), Stimulus: r.Story, Rows: r.Len(),
				Responses: want[from : from+n], Base: base[i].Pred[from : from+n]}
			if e.Tuned != nil {
				s.Tuned = e.Tuned[i].Pred[from : from+n]
			}
			out[k].Stories = append(out[k].Stories, s)
			from += n
		}
	}
	return out, nil
}

// Scores compares the systems on the test rows of the named subjects; without names, of all.
func (e *Evaluation) Scores(ctx context.Context, names ...string) (results.Scores, error) {
	s, _, err := e.Score(ctx, names...)
	return s, err
}

// Score returns Scores and the test of tuned against base, which is nil without a tuned system.
func (e *Evaluation) Score(ctx context.Context, names ...string) (out results.Scores, test *stats.PairedResult,
	err error) {
	st := e.Study
	var indices []int
	for i, p := range st.Subjects {
		if len(names) == 0 || slices.Contains(names, p.Name) {
			indices = append(indices, i)
			out.Subjects = append(out.Subjects, p.Name)
			out.Rows = max(out.Rows, e.Base[i].Rows)
			for _, r := range p.Parts[study.Test] {
				if !slices.Contains(out.Stories, r.Story) {
					out.Stories = append(out.Stories, r.Story)
				}
			}
		}
	}
	out.TestRepeats = st.TestRepeats()
	groups := study.GroupsOf(e.Groups, indices)
	b, test, err := e.against(ctx, indices, e.Base, groups)
	if err != nil {
		return out, nil, err
	}
	layer := st.ScoredLayer()
	out.Base = fromBootstrap(b, layer, func(g stats.GroupScore) stats.Score { return g.Base })
	if out.Ceiling, err = e.Ceiling(ctx, indices); err != nil {
		return out, nil, err
	}
	out.Base.OfCeiling = shareOf(&out.Base, out.Ceiling)
	if out.StoryScores, err = e.stories(ctx, indices); err != nil {
		return out, nil, err
	}
	over, err := e.overStories(ctx, indices, groups)
	if err != nil {
		return out, nil, err
	}
	out.Base.CI95Stories = over[0].Base
	if out.SubjectScores, err = e.bySubject(ctx, indices); err != nil {
		return out, nil, err
	}
	if e.Tuned == nil {
		return out, nil, nil
	}
	best, testBest, err := e.against(ctx, indices, e.Best, groups)
	if err != nil {
		return out, nil, err
	}
	bestLayer := fromBootstrap(best, &e.bestLayer, func(g stats.GroupScore) stats.Score { return g.Base })
	after := fromBootstrap(b, e.layer, func(g stats.GroupScore) stats.Score { return *g.Tuned })
	bestLayer.OfCeiling, after.OfCeiling = shareOf(&bestLayer, out.Ceiling), shareOf(&after, out.Ceiling)
	out.BaseBestLayer, out.Tuned = &bestLayer, &after
	out.Delta, out.DeltaBest = e.delta(b, test), e.delta(best, testBest)
	out.Delta.Voxels = countMoved(test.Voxels)
	out.Tuned.CI95Stories, out.Delta.CI95Stories = over[0].Tuned, over[0].Delta
	for g, group := range groups {
		if d, ok := out.Delta.ROIs[group.Name]; ok {
			d.CI95Stories = over[g].Delta
			out.Delta.ROIs[group.Name] = d
		}
	}
	return out, test, nil
}

// stories scores each test story alone, in the order of data.test.
func (e *Evaluation) stories(ctx context.Context, indices []int) (out []results.StoryScore, err error) {
	at, subjects := map[string]int{}, []float64(nil)
	for _, i := range indices {
		p := e.Study.Subjects[i]
		want, err := e.responses(ctx, i)
		if err != nil {
			return nil, err
		}
		var tuned []encoding.StoryScores
		if e.Tuned != nil {
			tuned = encoding.StoryR(e.Tuned[i].Pred, want, p.Voxels, p.Parts[study.Test])
		}
		for n, s := range encoding.StoryR(e.Base[i].Pred, want, p.Voxels, p.Parts[study.Test]) {
			k, ok := at[s.Story]
			if !ok {
				k, at[s.Story] = len(out), len(out)
				out, subjects = append(out, results.StoryScore{Story: s.Story}), append(subjects, 0)
				if tuned != nil {
					out[k].Tuned = new(float64)
				}
			}
			subjects[k]++
			mean, _ := stats.Mean(s.R, s.Constant, nil)
			out[k].Base += mean
			if tuned != nil {
				mean, _ := stats.Mean(tuned[n].R, tuned[n].Constant, nil)
				*out[k].Tuned += mean
			}
		}
	}
	for k := range out {
		if out[k].Base /= subjects[k]; out[k].Tuned != nil {
			*out[k].Tuned /= subjects[k]
			delta := *out[k].Tuned - out[k].Base
			out[k].Delta = &delta
		}
	}
	return out, nil
}

// fromBootstrap converts one system of a bootstrap to its score.
func fromBootstrap(b *stats.BootstrapResult, layer *int, side func(stats.GroupScore) stats.Score) results.ModelScore {
	s := results.ModelScore{Layer: layer, ROIs: map[string]float64{}}
	for _, g := range b.Groups {
		score := side(g)
		if g.Name == study.Everything {
			s.MeanR, s.CI95 = score.Mean, score.CI95
			continue
		}
		s.ROIs[g.Name] = score.Mean
	}
	return s
}

// overStories returns the intervals over stories of tuned against base; groups begin with all voxels.
func (e *Evaluation) overStories(ctx context.Context, indices []int, groups []stats.Group) ([]stats.StoryScore, error) {
	subjects, err := e.subjects(ctx, indices, e.Base)
	if err != nil {
		return nil, err
	}
	return stats.StoryIntervals(ctx, subjects, groups)
}
