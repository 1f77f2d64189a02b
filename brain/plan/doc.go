// Package plan estimates what a study costs before it runs: time, memory and disk of training and evaluation, and the
// smallest difference that its test rows can detect.
//
// [Estimate] measures pieces of the study on this machine (a few windows, steps and ridges) and multiplies.
// [MeasureFidelity] compares extraction by chunks with exact windows.
//
// # Caveats
//
// Times hold for the machine as it was while it was measured: other programs, and processors that slow down when hot,
// change them. The minimum detectable difference rests on noise that is estimated from the untuned model's residuals.
package plan
