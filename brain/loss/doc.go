// Package loss has the losses of tuning: functions of predicted and measured responses (rows, voxels) that return a
// scalar tensor to minimise.
//
//   - [Spatial]: minus the correlation over voxels, averaged over rows. It is the loss of arXiv 2502.08866.
//   - [Temporal]: minus the correlation over rows, averaged over voxels. It suits few voxels or regions.
//   - [MSE], [CosineL2] and [NTXent]: squared error, cosine with a squared error, and a contrastive loss over rows.
//
// Weights of voxels, where they are given, weigh each voxel in its sums. [New] returns the loss that an experiment
// names.
//
// # Caveats
//
// The spatial loss needs at least [MinSpatialTargets] voxels, below which a correlation over voxels is noise. The
// temporal loss of a step sees only the rows of that step. The NT-Xent loss compares the rows of a step with each
// other, so neighbouring rows, which are similar, count as negatives.
package loss
