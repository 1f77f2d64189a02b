package results

// everything is the group of all voxels, under a name that no ROI has; tunedGroup holds the voxels of the loss.
const (
	Everything = ""
	TunedGroup = "tuned"
)
