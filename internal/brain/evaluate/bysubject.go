package evaluate

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// bySubject scores each of several subjects alone, with an interval of its difference; nil for one.
func (e *Evaluation) bySubject(ctx context.Context, indices []int) (out []results.SubjectScore, err error) {
	if len(indices) < 2 {
		return nil, nil
	}
	for _, i := range indices {
		alone := []int{i}
		subjects, err := e.subjects(ctx, alone, e.Base)
		if err != nil {
			return nil, err
		}
		b, err := stats.PairedBootstrap(ctx, subjects, []stats.Group{{Name: study.Everything}},
			stats.BootstrapOptions{Seed: e.Study.Experiment.Train.Seed, BlockRows: e.Study.ResampledRows()})
		if err != nil {
			return nil, err
		}
		g := b.Groups[0]
		s := results.SubjectScore{Subject: e.Study.Subjects[i].Name, Rows: e.Base[i].Rows, Base: g.Base.Mean}
		if g.Tuned != nil {
			s.Tuned, s.Delta, s.CI95 = &g.Tuned.Mean, &g.Delta.Mean, g.Delta.CI95
		}
		ceiling, err := e.Ceiling(ctx, alone)
		if err != nil {
			return nil, err
		}
		if ceiling != nil {
			s.Ceiling = &ceiling.MeanR
		}
		out = append(out, s)
	}
	return out, nil
}
