package windows

import (
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/speech"
)

// Span is a stretch of the audio of a story, in seconds.
type Span struct{ From, To float64 }

// A story is read frame by frame in pieces with margins on both sides. Frames in the margins are
// discarded, since at the edge of a piece they lack one side of their context.
const (
	ClipSeconds   = 8
	MarginSeconds = 2
)

// FramesOf returns the frames whose middles are in each span, at least one per span.
func FramesOf(spans []Span, arch speech.Architecture, frames int) []design.Rows {
	out := make([]design.Rows, len(spans))
	for i, s := range spans {
		from, to := arch.Nearest(s.From), arch.Nearest(s.To)
		if arch.Time(from) < s.From {
			from++
		}
		if arch.Time(to) < s.To {
			to++
		}
		if to <= from {
			from = arch.Nearest((s.From + s.To) / 2)
			to = from + 1
		}
		from = min(max(from, 0), frames-1)
		out[i] = design.Rows{From: from, To: min(max(to, from+1), frames)}
	}
	return out
}

// Overlap reports whether any range of frames overlaps rows.
func Overlap(frames []design.Rows, rows design.Rows) bool {
	return slices.ContainsFunc(frames, func(f design.Rows) bool { return f.From < rows.To && rows.From < f.To })
}
