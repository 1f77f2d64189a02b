package windows

import (
	"runtime/debug"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/proc"
	"github.com/brainwavlm/bwlm/speech"
)

// Budgets where no bound is given.
const (
	DefaultStepBytes  = 5 << 29 // activations of an optimizer step
	DefaultCacheBytes = 2 << 30 // activations of frozen layers
)

// MemoryLeft returns what a bound leaves after the memory in use, later needs, and the front end. A
// remainder below least is an error of kind Memory that names the smallest sufficient bound.
func MemoryLeft(g speech.Geometry, m experiment.Model, bound, later, least int64) (left int64, err error) {
	debug.FreeOSMemory() // garbage of loading is not in use
	used, err := proc.ResidentMemory()
	if err != nil {
		return 0, err
	}
	front := FrontBytes(g, m)
	if left = bound - used - later - front; left < least {
		return 0, fault.New(fault.Memory, "share memory", "max_memory",
			"%d MB do not suffice: %d MB are in use, results take %d MB, and one unit of windows takes %d MB",
			bound>>20, used>>20, later>>20, (front+least)>>20).
			WithHint("allow at least %d MB, or lower train.unit_windows", (used+later+front+least)>>20+1)
	}
	return left, nil
}

// FrontBytes estimates the memory of the front end for the clips that go through it together.
func FrontBytes(g speech.Geometry, m experiment.Model) int64 {
	samples := SamplesOf(ClipLength(m))
	return g.FrontEndBytes(min(max(SamplesOf(groupSeconds)/samples, 1), frontClips), samples)
}

// UnitFrontBytes estimates the memory of the front end for one unit of n windows, whose activations a
// backward pass needs.
func UnitFrontBytes(g speech.Geometry, m experiment.Model, n int) int64 {
	return g.FrontEndBytes(UnitClips(m, n), SamplesOf(ClipLength(m)))
}

// GraphBytes estimates the activations of one unit of n windows that the backward pass needs.
func GraphBytes(g speech.Geometry, m experiment.Model, n int) int64 {
	return int64(UnitClips(m, n)) * g.GraphBytes(SamplesOf(ClipLength(m)), m.Layer)
}

// ForwardBytes estimates the memory of one unit of n windows without gradients.
func ForwardBytes(g speech.Geometry, m experiment.Model, n int) int64 {
	return int64(UnitClips(m, n)) * g.ForwardBytes(SamplesOf(ClipLength(m)), m.Layer)
}
