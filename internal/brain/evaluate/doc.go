// Package evaluate scores a study on its test rows: the untuned model, the tuned model and comparisons of the two, with
// intervals, p values, noise ceilings, regressors, sums of adapters and locked analysis plans. Test rows are read here
// only, and each read is recorded where an analysis plan is locked.
package evaluate
