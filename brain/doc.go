// Package brain tunes a speech model so that it predicts brain responses, and says what that changed.
//
// A [Study] is an experiment with its data and model. [Study.Fit] tunes: audio is cut into windows, the model reads
// each up to one layer, the vectors are carried to the rows of the responses, standardised and delayed, and a
// linear readout per person predicts their voxels; the loss goes back through all of this into a low-rank adapter
// (or the whole model). [Study.Evaluate] scores: never by the trained readout, but by a ridge that is fitted anew on
// the features of the model before and after, with the same rows, folds and seeds (BrainWavLM, arXiv 2502.08866).
//
//	exp, err := experiment.Load("alice.yaml")
//	study, err := brain.Open(ctx, exp, brain.Options{})
//	run, err := study.Begin(ctx)
//	_, err = study.Fit(ctx, run)
//	tuned, err := study.LoadTuned(ctx, run)
//	summary, err := study.Evaluate(ctx, tuned, filepath.Join(run.Dir, "eval"))
//
// # Strategies
//
// What is tuned on what, and by which loss, are keys of the experiment: losses (loss.go), weights of voxels (weights.go),
// guarded regions (guard.go), readouts that are fitted instead of trained (pinned.go), mixtures of hidden states (mix.go).
// [Compare] sets finished runs side by side, [Study.Arithmetic] scores sums of adapters.
//
// # Memory and time
//
// What no tuning changes is computed once and kept (frozen.go, docs/adr/0006-frozen-frames.md): in memory, and on disk where
// [Options] name a store. How much is kept, and how much is computed at once, changes no bit of the former and no more
// than last bits of the latter. Options.MaxBytes bounds the process. In mode block many windows are read from one long clip
// (clip.go, docs/chunks.md), which is cheaper and not the same.
//
// # Caveats
//
// Training rows fit, validation rows choose the epoch and the layer, test rows are looked at once, by Evaluate. New
// refuses splits that hear the same audio through window, interpolation and delays.
//
// All responses and audio of the splits are held in memory.
//
// With dropout, layer drop or SpecAugment on, the random numbers of a step depend on how its windows are batched.
package brain
