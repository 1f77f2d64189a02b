// Package readout predicts voxels from rows of a design matrix while a model is tuned: a linear map through a
// bottleneck, one for each subject, and, where hidden states are weighted, the learned weights of their sum.
//
// # Caveats
//
// A readout exists to carry gradients into the model. Scores of a study come from a ridge regression (package ridge)
// that is fitted to frozen features, for the untuned and the tuned model alike.
package readout
