package evaluate

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// lossMargin is the non-inferiority margin of auditory cortex as a fraction of the untuned model's
// r. It depends on the untuned model alone, so tuning cannot change it.
const lossMargin = .05

// against scores the tuned system, if there is one, against another and tests the difference.
func (e *Evaluation) against(ctx context.Context, indices []int, base []encoding.Prediction, groups []stats.Group) (
	*stats.BootstrapResult, *stats.PairedResult, error) {
	seed := e.Study.Experiment.Train.Seed
	subjects, err := e.subjects(ctx, indices, base)
	if err != nil {
		return nil, nil, err
	}
	b, err := stats.PairedBootstrap(ctx, subjects, groups, stats.BootstrapOptions{Seed: seed,
		BlockRows: e.Study.ResampledRows()})
	if err != nil || e.Tuned == nil {
		return b, nil, err
	}
	test, err := stats.PairedTest(ctx, subjects, groups, stats.PairedOptions{Seed: seed,
		BlockRows: e.Study.ResampledRows()})
	return b, test, err
}

// delta returns the difference from a bootstrap and a test. The margins of a locked analysis plan
// apply to the mean over all subjects.
func (e *Evaluation) delta(b *stats.BootstrapResult, test *stats.PairedResult) *results.Delta {
	d := &results.Delta{ROIs: map[string]results.DeltaROI{}}
	for i, g := range b.Groups {
		found := results.Significance{P: test.Groups.P[i], Q: test.Groups.Q[i]}
		if g.Name == study.Everything {
			d.MeanR, d.CI95, d.Significance, d.Reason = g.Delta.Mean, g.Delta.CI95, found, g.Reason
			continue
		}
		d.ROIs[g.Name] = results.DeltaROI{MeanR: g.Delta.Mean, CI95: g.Delta.CI95, Significance: found}
		if isAuditory(g.Name) && g.Base.Mean > 0 {
			d.AuditoryNonInferiority = g.NonInferiority(lossMargin * g.Base.Mean)
		}
		m, sealed := e.Margins[g.Name]
		if found := g.NonInferiority(m.Delta); sealed && found != nil && len(test.Voxels) == len(e.Study.Subjects) {
			if d.NonInferiority == nil {
				d.NonInferiority = map[string]*stats.NonInferiority{}
			}
			d.NonInferiority[g.Name] = found
		}
	}
	return d
}
