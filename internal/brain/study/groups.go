package study

import "github.com/brainwavlm/bwlm/internal/roikeys"

// Names of groups of voxels that are no ROI.
const (
	Everything = ""            // all voxels
	TunedGroup = roikeys.Tuned // the voxels of the loss
)
