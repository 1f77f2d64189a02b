package study

import (
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/stats"
)

// TestCeiling estimates a person's ceiling from the repeats of all test rows.
func (p *Subject) TestCeiling() (stats.NoiseCeiling, bool) { return p.ceiling(p.Parts[Test]) }

// ceiling estimates a person's ceiling from the repeats of some rows, which must be equally many.
func (p *Subject) ceiling(parts []design.Rows) (c stats.NoiseCeiling, ok bool) {
	n := 0
	for _, r := range parts {
		repeats := p.Responses[r.Story].Repeats.Repeats
		if repeats < 2 || n != 0 && n != repeats {
			return c, false
		}
		n = repeats
	}
	var x []float32
	rows := 0
	for k := range n {
		for _, r := range parts {
			x = append(x, p.Responses[r.Story].Repeat(k)[r.From*p.Voxels:r.To*p.Voxels]...)
			if k == 0 {
				rows += r.To - r.From
			}
		}
	}
	return stats.Ceiling(x, n, rows, p.Voxels), n > 0
}
