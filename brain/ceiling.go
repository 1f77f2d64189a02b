package brain

import (
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/stats"
)

// ceiling is the r that a perfect model would reach on the test rows against the mean of the repeats; nil where a
// person has no repeats. A voxel whose repeats share nothing (signal power not above 0) has ceiling 0: leaving it out
// would keep those that are above 0 by chance.
func (e *Evaluation) ceiling(who []int) *System {
	groups := e.groups
	s := &System{ROIs: map[string]float64{}}
	perGroup := make([]float64, len(groups))
	for _, i := range who {
		c, ok := e.study.people[i].testCeiling()
		if !ok {
			return nil
		}
		none := make([]bool, len(c.Defined)) // CCMax is 0 where it is not defined
		for g, group := range groups {
			var columns []int
			if group.Columns != nil {
				columns = group.Columns[i]
			}
			mean, _ := stats.Mean(c.CCMax, none, columns)
			perGroup[g] += mean / float64(len(who))
		}
	}
	for g, group := range groups {
		if group.Name == everything {
			s.MeanR = perGroup[g]
			continue
		}
		s.ROIs[group.Name] = perGroup[g]
	}
	return s
}

// testCeiling estimates a person's ceiling from the repeats of all test rows.
func (p *person) testCeiling() (stats.NoiseCeiling, bool) { return p.ceiling(p.parts[Test]) }

// ceiling estimates a person's ceiling from the repeats of some rows, which must be equally many.
func (p *person) ceiling(parts []design.Rows) (c stats.NoiseCeiling, ok bool) {
	n := 0
	for _, r := range parts {
		repeats := p.responses[r.Story].repeats.Repeats
		if repeats < 2 || n != 0 && n != repeats {
			return c, false
		}
		n = repeats
	}
	var x []float32
	rows := 0
	for k := range n {
		for _, r := range parts {
			x = append(x, p.responses[r.Story].repeat(k)[r.From*p.voxels:r.To*p.voxels]...)
			if k == 0 {
				rows += r.To - r.From
			}
		}
	}
	return stats.Ceiling(x, n, rows, p.voxels), n > 0
}
