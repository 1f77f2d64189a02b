package results

// everything is the group of all voxels, under a name that no region has; tunedGroup those that the loss looked at.
const (
	Everything = ""
	TunedGroup = "tuned"
)
