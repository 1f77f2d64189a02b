// Package plan is what a study costs, estimated before it runs: time, memory and disk of training and evaluation, and
// the smallest difference that its test rows can detect. A study estimates its [Plan] (Plan of package brain): it
// measures pieces of itself on this machine and multiplies.
//
// # Caveats
//
// Times hold for the machine as it was while it was measured: other programs, and processors that slow down when hot,
// change them. The minimum detectable difference rests on noise that is estimated from the untuned model's residuals.
package plan
