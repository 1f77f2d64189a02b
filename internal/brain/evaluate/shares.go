package evaluate

import (
	"math"
	"strings"

	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
)

// isAuditory reports whether a name is one that data sets give to auditory cortex.
func isAuditory(region string) bool {
	return strings.EqualFold(region, "auditory") || strings.EqualFold(region, "AC")
}

// shareOf gives scores in per cent of a ceiling, nil without one.
func shareOf(s, ceiling *results.ModelScore) *results.CCNorm {
	if ceiling == nil {
		return nil
	}
	out := &results.CCNorm{ROIs: map[string]float64{}}
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

// countMoved counts the voxels of a paired test of tuned and base.
func countMoved(tests []stats.TestFamily) *results.MovedVoxels {
	n := &results.MovedVoxels{}
	for _, f := range tests {
		for v, scored := range f.Scored {
			if !scored {
				continue
			}
			n.Scored++
			if f.Unresolved[v] {
				n.Unresolved++
			}
			if f.Unresolved[v] || math.Abs(f.Delta[v]) < .0005 {
				n.Unmoved++
			}
		}
	}
	return n
}
