package progress

import "time"

// Phase is what a computation is doing, in words for a display.
type Phase string

// Phases of a study. Reading features has a phase for each model; see [Read].
const (
	Tune        Phase = "tune"         // after each optimizer step
	EpochEnd    Phase = "epoch"        // after an epoch was validated
	Validate    Phase = "validate"     // features of an epoch are read, within tuning
	Refresh     Phase = "refresh"      // ridge readouts are fitted again
	ChooseLayer Phase = "choose layer" // scores of each layer on validation rows
	Resolution  Phase = "resolution"   // some test audio is read again, for the rounding of the arithmetic
	ScoreLayers Phase = "score layers" // scores of each layer on test rows
	Score       Phase = "score"        // ridges and correlations on test rows
	Explain     Phase = "explain"      // sets of regressors of a variance partition
	Probe       Phase = "probe"        // probes are trained
	Calibrate   Phase = "calibrate"    // pieces of a plan are measured
	Compare     Phase = "compare"      // ways to extract features
	Warning     Phase = "warning"      // Event.Note has the text
	Note        Phase = "note"         // on the data, once they are read; Event.Note has the text
)

// Read is the phase in which the features of a model are read, such as "read base".
func Read(model string) Phase { return Phase("read " + model) }

// Event is the progress of a long computation.
type Event struct {
	Phase Phase
	Done  int     // of Total
	Total int     // 0 if unknown
	Epoch int     // while tuning
	Loss  float64 // of the last step
	R     float64 // of the readout on the last step's rows, or of validation
	Note  string  // of a warning

	Took    time.Duration // by the last step
	Details *EpochMetrics // at the end of an epoch, if Options.Details wants them
}
