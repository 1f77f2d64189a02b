package windows

import (
	"runtime/debug"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/proc"
	"github.com/brainwavlm/bwlm/wavlm"
)

// Where nobody says how much memory there is.
const (
	DefaultBatchBytes = 5 << 29 // of a forward and backward pass
	DefaultCacheBytes = 2 << 30 // of what no tuning changes
)

// MemoryLeft is what a bound leaves beside what is in use now, what will be later, and the front end; at least what one
// clip takes, or it is an error of kind Memory.
func MemoryLeft(cfg wavlm.Config, m experiment.Model, bound, later int64) (left, clip int64, err error) {
	debug.FreeOSMemory() // what loading left behind is not in use
	used, err := proc.ResidentMemory()
	if err != nil {
		return 0, 0, err
	}
	front, clip := FrontBytes(cfg, m), ClipBytes(cfg, m)
	if left = bound - used - later - front; left < clip {
		return 0, 0, fault.New(fault.Memory, "share memory", "max_memory", "%d MB do not suffice: %d MB are in use, results will take %d, and one clip %d",
			bound>>20, used>>20, later>>20, (front+clip)>>20).WithHint("allow at least %d MB", (used+later+front+clip)>>20+1)
	}
	return left, clip, nil
}

// FrontBytes is what the convolutional front end takes for the clips that go through it at once: its first layers give a
// frame for every few samples, and three of their results are there at once.
func FrontBytes(cfg wavlm.Config, m experiment.Model) int64 {
	samples := SamplesOf(ClipLength(m))
	size := min(max(SamplesOf(groupSeconds)/samples, 1), frontClips)
	return 3 * 4 * int64(size) * int64(cfg.ConvWidth[0]) * int64(samples/cfg.ConvStride[0])
}

// ClipBytes estimates what one clip takes while gradients are kept: per layer and frame about 14 vectors of the hidden
// width and 2 of the feed-forward width.
func ClipBytes(cfg wavlm.Config, m experiment.Model) int64 {
	frames := cfg.Frames(SamplesOf(ClipLength(m)))
	return int64(4*frames) * int64(max(m.Layer, 1)*(14*cfg.Hidden+2*cfg.Inner)+4*cfg.ConvOut())
}

// BatchSize is how many clips a budget takes.
func BatchSize(cfg wavlm.Config, m experiment.Model, budget int64) int {
	return int(min(max(budget/max(ClipBytes(cfg, m), 1), 1), 512))
}
