package planning

import (
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/internal/brain/study"
)

// pieceBytes is the size of the responses that a plan reads of a subject and split at once, but for one part of a story:
// a plan does not read all of a large study.
const pieceBytes = 128 << 20

// piece returns parts of a split that stand for all, evenly spaced.
func piece(p *study.Subject, split study.Split) []design.Rows {
	parts := p.Parts[split]
	bytes := 4 * p.RowsOf(split) * p.Voxels
	step := (bytes + pieceBytes - 1) / pieceBytes
	if step <= 1 {
		return parts
	}
	var out []design.Rows
	for i := 0; i < len(parts); i += step {
		out = append(out, parts[i])
	}
	return out
}

// sample returns voxels that stand for all, evenly spaced, so that some rows of them make a piece.
func sample(p *study.Subject, rows int) []int {
	step := max(1, (4*rows*p.Voxels+pieceBytes-1)/pieceBytes)
	var out []int
	for c := 0; c < p.Voxels; c += step {
		out = append(out, c)
	}
	return out
}
