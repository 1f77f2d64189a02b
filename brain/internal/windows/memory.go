package windows

import (
	"runtime/debug"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/proc"
	"github.com/brainwavlm/bwlm/wavlm"
)

// Budgets where no bound is given.
const (
	DefaultStepBytes  = 5 << 29 // activations of an optimizer step
	DefaultCacheBytes = 2 << 30 // activations of frozen layers
)

// MemoryLeft returns what a bound leaves after the memory in use, later needs, and the front end. A remainder below least
// is an error of kind Memory that names the smallest sufficient bound.
func MemoryLeft(cfg wavlm.Config, m experiment.Model, bound, later, least int64) (left int64, err error) {
	debug.FreeOSMemory() // garbage of loading is not in use
	used, err := proc.ResidentMemory()
	if err != nil {
		return 0, err
	}
	front := FrontBytes(cfg, m)
	if left = bound - used - later - front; left < least {
		return 0, fault.New(fault.Memory, "share memory", "max_memory",
			"%d MB do not suffice: %d MB are in use, results take %d MB, and one unit of windows takes %d MB",
			bound>>20, used>>20, later>>20, (front+least)>>20).
			WithHint("allow at least %d MB, or lower train.unit_windows", (used+later+front+least)>>20+1)
	}
	return left, nil
}

// FrontBytes estimates the memory of the convolutional front end for the clips that go through it together: its first
// layer returns a frame for every few samples, and three of its results exist at a time.
func FrontBytes(cfg wavlm.Config, m experiment.Model) int64 {
	samples := SamplesOf(ClipLength(m))
	size := min(max(SamplesOf(groupSeconds)/samples, 1), frontClips)
	return 3 * 4 * int64(size) * int64(cfg.ConvWidth[0]) * int64(samples/cfg.ConvStride[0])
}

// GraphBytes estimates the activations of one unit of n windows that the backward pass needs: per layer and frame about
// 14 vectors of the hidden width and 2 of the feed-forward width.
func GraphBytes(cfg wavlm.Config, m experiment.Model, n int) int64 {
	return unitFrames(cfg, m, n) * 4 * int64(max(m.Layer, 1)*(14*cfg.Hidden+2*cfg.Inner)+4*cfg.ConvOut())
}

// ForwardBytes estimates the memory of one unit of n windows without gradients: the hidden states that are read, and the
// vectors of the layer at work.
func ForwardBytes(cfg wavlm.Config, m experiment.Model, n int) int64 {
	return unitFrames(cfg, m, n) * 4 * int64((m.Layer+10)*cfg.Hidden+2*cfg.Inner+cfg.ConvOut())
}

// unitFrames returns the number of frames of a unit of n windows.
func unitFrames(cfg wavlm.Config, m experiment.Model, n int) int64 {
	return int64(UnitClips(m, n)) * int64(cfg.Frames(SamplesOf(ClipLength(m))))
}
