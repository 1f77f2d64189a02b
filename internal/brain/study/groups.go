package study

import "github.com/brainwavlm/bwlm/brain/results"

// Names of groups of voxels that are no ROI.
const (
	Everything = ""                  // all voxels
	TunedGroup = results.TunedVoxels // the voxels of the loss
)
