package results

// Epoch is what validation found after an epoch; epoch 0 is before training.
type Epoch struct {
	Epoch int      `json:"epoch"`
	Step  int      `json:"step"`
	Loss  *float64 `json:"train_loss"` // mean over the epoch's blocks; absent for epoch 0
	// over the tuned voxels, of a ridge on this epoch's features; in mode readout of the readout
	ValR float64 `json:"val_r"`

	RetainedR *float64 `json:"guard_r,omitempty"` // of the retained ROIs, in the same way
}
