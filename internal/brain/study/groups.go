package study

// Names of groups of voxels that are no ROI.
const (
	Everything = ""      // all voxels
	TunedGroup = "tuned" // the voxels of the loss
)
