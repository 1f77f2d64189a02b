// Package brain tunes a speech model so that it predicts brain responses, and measures what that changed.
//
// A [Study] is an experiment with its data and model. [Study.Fit] tunes: audio is cut into windows,
// the model reads one vector per window, the vectors become rows of a design matrix (resampled,
// standardised, delayed), and a linear readout per subject predicts the voxels. The gradient of the
// loss reaches a low-rank adapter, or the whole model. [Study.Evaluate] scores the model before and
// after tuning with the same protocol: never by the trained readout, but by a ridge regression on
// the features of each, with the same rows, folds and seeds (BrainWavLM, arXiv 2502.08866).
//
//	exp, err := experiment.Load("alice.yaml")
//	study, err := brain.Open(ctx, exp, brain.Options{})
//	run, err := study.Begin(ctx)
//	_, err = study.Fit(ctx, run)
//	summary, err := study.EvaluateRun(ctx, run)
//
// # Packages
//
// This package is the door to a study. What a run leaves on disk is in [github.com/brainwavlm/bwlm/brain/results],
// predictions for other programs in [github.com/brainwavlm/bwlm/brain/predict], features of audio without a data set in
// [github.com/brainwavlm/bwlm/brain/extract]. docs/architecture.md follows a row through all packages.
//
// # Memory and time
//
// Activations of frozen layers are computed once and cached, in memory and on disk where [Options]
// name a store (docs/adr/0006-frozen-frames.md). Windows are computed in units of
// train.unit_windows. Neither the cache nor Options.MaxBytes changes a bit of any result. With
// model.extraction: chunks many windows are read from one long chunk of audio, which is cheaper and
// a different measurement (docs/chunks.md).
//
// # Caveats
//
// Training rows fit, validation rows choose the epoch and the layer, test rows are scored once. [Open] refuses splits
// whose rows depend on the same audio through window, resampling and delays.
//
// Audio of the splits is held in memory.
package brain
