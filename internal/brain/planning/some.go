package planning

import (
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// someBytes is the size of the responses that a plan reads of a subject and split at once, but for one part of a story:
// a plan does not read all of a large study.
const someBytes = 128 << 20

// someRows returns parts of a split that stand for all, evenly spaced.
func someRows(p *study.Subject, split study.Split) []design.Rows {
	parts := p.Parts[split]
	bytes := 4 * p.RowsOf(split) * p.Voxels
	step := (bytes + someBytes - 1) / someBytes
	if step <= 1 {
		return parts
	}
	var out []design.Rows
	for i := 0; i < len(parts); i += step {
		out = append(out, parts[i])
	}
	return out
}

// someVoxels returns voxels that stand for all, evenly spaced, of which some rows take someBytes.
func someVoxels(p *study.Subject, rows int) []int {
	step := max(1, (4*rows*p.Voxels+someBytes-1)/someBytes)
	var out []int
	for c := 0; c < p.Voxels; c += step {
		out = append(out, c)
	}
	return out
}
