// Package folds runs eval.folds: k-fold cross-validation over stories or labels of clips, with the tuning repeated in
// each fold.
//
// Each fold is an ordinary run directory below out/folds, with its own leak audit, validation and test rows. A fold
// that is finished is read, an interrupted one is resumed, so that the outcome is bit-identical to that of a run that
// was never interrupted. folds.json of out has the scores of each fold and their mean, with an interval over
// stories or labels.
package folds
