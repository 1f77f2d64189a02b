package study

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/responses"
)

// TestCeiling estimates the noise ceiling from the repeats of all test rows. It reports false where there are none.
func (p *Subject) TestCeiling(ctx context.Context) (stats.NoiseCeiling, bool, error) {
	return p.ceiling(ctx, p.repeated(Test), p.Parts[Test])
}

// repeated returns the responses whose repeats give the ceiling of a split.
func (p *Subject) repeated(split Split) *responses.SubjectResponses {
	if split == Test && p.odd != nil {
		return p.odd
	}
	return p.Responses
}

// ceiling estimates the noise ceiling from the repeats of some rows. All must have the same number of repeats, two or
// more.
func (p *Subject) ceiling(ctx context.Context, responses *responses.SubjectResponses, parts []design.Rows) (
	c stats.NoiseCeiling, ok bool, err error) {
	rows := responses.Select(parts...)
	n := rows.Repeats()
	if n < 2 {
		return c, false, nil
	}
	c, err = stats.CeilingByRows(n, rows.Rows, p.Voxels, func(repeat, from, to int, out []float32) error {
		return rows.ReadRepeat(ctx, repeat, from, to, out)
	})
	return c, err == nil, err
}
