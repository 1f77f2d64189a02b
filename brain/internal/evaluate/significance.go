package evaluate

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/internal/encoding"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
)

// lossMargin is how much of the untuned model's r auditory cortex may lose and still be called kept. The margin needs
// nothing but the untuned model, so tuning cannot move it.
const lossMargin = .05

// against scores the tuned system, if there is one, beside another and tests the difference.
func (e *Evaluation) against(ctx context.Context, indices []int, base []encoding.Prediction, groups []stats.Group) (
	*stats.BootstrapResult, *stats.PairedResult, error) {
	seed := e.Study.Experiment.Train.Seed
	subjects, err := e.subjects(ctx, indices, base)
	if err != nil {
		return nil, nil, err
	}
	b, err := stats.PairedBootstrap(ctx, subjects, groups, stats.BootstrapOptions{Seed: seed})
	if err != nil || e.Tuned == nil {
		return b, nil, err
	}
	test, err := stats.PairedTest(ctx, subjects, groups, stats.PairedOptions{Seed: seed})
	return b, test, err
}

// delta is the difference that a bootstrap and a test found. Margins that were sealed are of all subjects together.
func (e *Evaluation) delta(b *stats.BootstrapResult, test *stats.PairedResult) *results.Delta {
	d := &results.Delta{ROIs: map[string]results.DeltaROI{}}
	for i, g := range b.Groups {
		found := results.Significance{P: test.Groups.P[i], Q: test.Groups.Q[i]}
		if g.Name == results.Everything {
			d.MeanR, d.CI95, d.Significance, d.Reason = g.Delta.Mean, g.Delta.CI95, found, g.Reason
			continue
		}
		d.ROIs[g.Name] = results.DeltaROI{MeanR: g.Delta.Mean, CI95: g.Delta.CI95, Significance: found}
		if results.IsAuditory(g.Name) && g.Base.Mean > 0 {
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
