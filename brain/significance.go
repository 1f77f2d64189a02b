package brain

import (
	"context"
	"strings"

	"github.com/brainwavlm/bwlm/brain/stats"
)

// Significance is what a paired test says of a difference: how often swapping the predictions of the two systems in
// random blocks of rows makes one as large, either way.
type Significance struct {
	P float64 `json:"p"`
	Q float64 `json:"q"` // false discovery rate over all lines of the table (Benjamini and Hochberg)
}

// Share is a score in per cent of the ceiling; a region without a ceiling above 0 has none.
type Share struct {
	MeanR *float64           `json:"mean_r"`
	ROIs  map[string]float64 `json:"rois"`
}

// lossMargin is how much of the untuned model's r auditory cortex may lose and still be called kept. The margin needs
// nothing but the untuned model, so tuning cannot move it.
const lossMargin = .05

// isAuditory knows the names that data sets give to auditory cortex.
func isAuditory(region string) bool {
	return strings.EqualFold(region, "auditory") || strings.EqualFold(region, "AC")
}

// against scores the tuned system, if there is one, beside another and tests the difference.
func (e *Evaluation) against(ctx context.Context, who []int, base []prediction, groups []stats.Group) (
	*stats.Bootstrap, *stats.Paired, error) {
	seed := e.study.Experiment.Train.Seed
	subjects := e.subjects(who, base)
	b, err := stats.PairedBootstrap(ctx, subjects, groups, stats.BootstrapOptions{Seed: seed})
	if err != nil || e.tuned == nil {
		return b, nil, err
	}
	test, err := stats.PairedTest(ctx, subjects, groups, stats.PairedOptions{Seed: seed})
	return b, test, err
}

// delta is the difference that a bootstrap and a test found. Margins that were sealed are of all people together.
func (e *Evaluation) delta(b *stats.Bootstrap, test *stats.Paired) *Delta {
	d := &Delta{ROIs: map[string]DeltaROI{}}
	for i, g := range b.Groups {
		found := Significance{test.Groups.P[i], test.Groups.Q[i]}
		if g.Name == everything {
			d.MeanR, d.CI95, d.Significance, d.Reason = g.Delta.Mean, g.Delta.CI95, found, g.Reason
			continue
		}
		d.ROIs[g.Name] = DeltaROI{g.Delta.Mean, g.Delta.CI95, found}
		if isAuditory(g.Name) && g.Base.Mean > 0 {
			d.Auditory = g.NotWorse(lossMargin * g.Base.Mean)
		}
		m, sealed := e.margins[g.Name]
		if found := g.NotWorse(m.Delta); sealed && found != nil && len(test.Voxels) == len(e.study.people) {
			if d.Sealed == nil {
				d.Sealed = map[string]*stats.NonInferiority{}
			}
			d.Sealed[g.Name] = found
		}
	}
	return d
}

// shareOf gives scores in per cent of a ceiling, nil without one.
func (s *System) shareOf(ceiling *System) *Share {
	if ceiling == nil {
		return nil
	}
	out := &Share{ROIs: map[string]float64{}}
	if ceiling.MeanR > 0 {
		all := 100 * s.MeanR / ceiling.MeanR
		out.MeanR = &all
	}
	for name, r := range s.ROIs {
		if most := ceiling.ROIs[name]; most > 0 {
			out.ROIs[name] = 100 * r / most
		}
	}
	return out
}
