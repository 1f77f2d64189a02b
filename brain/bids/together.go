package bids

import (
	"slices"

	"github.com/brainwavlm/bwlm/internal/brain/finished"
	"github.com/brainwavlm/bwlm/internal/cortex"
)

// together returns a run with the scores of subjects who have masks of their own in one grid of a shared space, as
// voxels of all these masks; a voxel that a subject does not have is NaN. A run whose subjects have the same places, or
// whose space is not shared, is returned as it is.
func together(run *finished.Run, space string) *finished.Run {
	if run.Places != nil || !cortex.SharedSpace(space) {
		return run
	}
	var volumes []*cortex.Volume
	for _, s := range run.Subjects {
		switch {
		case !s.Places.Fits(s.Voxels):
		case s.Places.Volume == nil:
			return run
		default:
			volumes = append(volumes, s.Places.Volume)
		}
	}
	if len(volumes) == 0 {
		return run
	}
	all := cortex.Union(volumes)
	if all == nil {
		return run
	}
	out := &finished.Run{Places: &finished.Places{Volume: all}}
	for _, s := range run.Subjects {
		if !s.Places.Fits(s.Voxels) {
			continue
		}
		move := func(x []float32) []float32 {
			if x == nil {
				return nil
			}
			moved := slices.Repeat([]float32{nan}, len(all.Voxels))
			for i, r := range s.Places.Spread(x) {
				at, _ := slices.BinarySearch(all.Voxels, s.Places.Volume.Voxels[i])
				moved[at] = r
			}
			return moved
		}
		out.Subjects = append(out.Subjects, finished.Subject{Name: s.Name, Voxels: len(all.Voxels), Base: move(s.Base),
			Best: move(s.Best), Tuned: move(s.Tuned), Delta: move(s.Delta), Ceiling: move(s.Ceiling)})
	}
	return out
}
