package progress

import "github.com/brainwavlm/bwlm/brain/results"

// EpochMetrics are what is known at the end of an epoch beyond its score, for a display of the training.
type EpochMetrics struct {
	Epoch   results.Epoch
	Loss    float64            // of the trained readouts on the validation rows, in blocks as long as those of training
	Regions map[string]float64 // validation r of each region, found as Epoch.ValR is; empty in mode readout
}
