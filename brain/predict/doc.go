// Package predict predicts the fMRI responses of one subject to any audio, with the tuned model and the trained
// readout of a finished run. It is meant for services: a [Predictor] may be used by many goroutines, needs no data
// set, takes no lock and writes nothing.
//
// How good predictions are is kept in the run: r of each voxel on the validation rows, noise ceilings, and residuals,
// from which [Predictor.Interval] gives the bounds of single responses.
//
// [Predictor.Stream] predicts while audio comes in.
//
// # Caveats
//
// Predictions are those of the trained readout. Scores that are published come from a ridge regression that is fitted
// anew, and say nothing about these predictions. Features of a clip are standardised over the clip itself
// unless Options.TrainingStatistics is set; see [Predictor] for what follows.
package predict
