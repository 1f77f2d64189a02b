package progress

import "time"

// Event is the progress of a long computation.
type Event struct {
	Phase string  // "read base", "tune", "validate", "score", "warning"
	Done  int     // of Total
	Total int     // 0 if unknown
	Epoch int     // while tuning
	Loss  float64 // of the last step
	R     float64 // of the readout on the last step's rows, or of validation
	Note  string  // of a warning

	Took    time.Duration // by the last step
	Details *EpochMetrics // at the end of an epoch, if Options.Details wants them
}
