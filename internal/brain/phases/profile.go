package phases

// Phases of a training by which a torch.Profile books time.
const (
	PhaseOpening    = "opening"              // data and model are read
	PhaseProof      = "proof of the adapter" // before the first step
	PhaseStep       = "step"                 // one optimizer step
	PhaseValidation = "validation"           // after each epoch, and before the first: features, scores, checkpoint
	PhaseEvaluation = "evaluation"           // on the test rows
	PhaseFill       = "fill"                 // of a bench: the frozen front end, once
	PhasePeak       = "large product"        // of a bench
)

// Parts of a phase, next to those of package speech.
const (
	PartData      = "data"      // audio decoded, windows cut, responses put together
	PartReadout   = "readout"   // vectors of windows to rows, delays, and the readout
	PartLoss      = "loss"      // with the retention constraint
	PartOptimizer = "optimizer" // Adam
	PartScores    = "scores"    // ridges and correlations
)
