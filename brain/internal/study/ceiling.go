package study

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/stats"
)

// TestCeiling estimates the noise ceiling from the repeats of all test rows. It reports false where there are none.
func (p *Subject) TestCeiling(ctx context.Context) (stats.NoiseCeiling, bool, error) {
	return p.ceiling(ctx, p.Parts[Test])
}

// ceiling estimates the noise ceiling from the repeats of some rows. All must have the same number of repeats, two or
// more.
func (p *Subject) ceiling(ctx context.Context, parts []design.Rows) (c stats.NoiseCeiling, ok bool, err error) {
	rows := p.Responses.Select(parts...)
	n := rows.Repeats()
	if n < 2 {
		return c, false, nil
	}
	c, err = stats.CeilingByRows(n, rows.Rows, p.Voxels, func(repeat, from, to int, out []float32) error {
		return rows.ReadRepeat(ctx, repeat, from, to, nil, out)
	})
	return c, err == nil, err
}
