// Package predict predicts the fMRI responses of one subject to any audio, with the tuned model and the trained
// readout of a finished run. It is meant for services: a [Predictor] may be used by many goroutines, needs no data
// set, takes no lock and writes nothing.
//
// # Caveats
//
// Predictions are those of the trained readout. Scores that are published come from a ridge regression that is fitted
// anew, and say nothing about these predictions. Features of a clip are standardised over the clip itself; see
// [Predictor] for what follows.
package predict
