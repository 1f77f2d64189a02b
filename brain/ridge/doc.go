// Package ridge fits the linear maps from features to voxels by which encoding models are scored: ridge
// regression with a penalty of its own for every voxel, or for every voxel and band of features, chosen by
// cross-validation over contiguous rows.
//
//	W(λ) = argmin ‖Y - XW‖² + λ‖W‖²
//
// # Alphas and lambdas
//
// Two conventions are in use. An alpha is HuthLab's: it meets the singular values of X. A lambda is what scikit-learn and
// himalaya call alpha, the penalty on squared weights. lambda = alpha². [Options] take either.
//
// # Method
//
// One eigendecomposition serves all penalties and all voxels of a fold: of XᵀX, or of the kernel XXᵀ where there
// are fewer rows than features. With Q and μ its vectors and values, the predictions of held-out rows are
// E·diag(1/(μ+λ))·Z, where E is made from the features alone and Z from training features and responses.
// Decompositions and what is made of features alone are float64; products with voxels are float32 while penalties are compared,
// safe because the directions do not mix, and float64 in the last fit until the weights are stored. Means and sizes of
// voxels are float64 sums. Directions whose μ is no more than rounding are left out, which makes
// lambda 0 the least-norm solution and collinear features harmless.
//
// # Folds
//
// [ChunkFolds] draws chunks of rows at random (HuthLab's bootstrap), [KFold] cuts the rows into k parts (KFold of scikit-learn
// and himalaya). A penalty's score is the mean over folds of [R] or [R2].
//
// # Bands
//
// In a banded ridge (Nunez-Elizalde et al. 2019) each of some bands of features has its own penalty for each voxel. [Candidates]
// draws sets of weights of the bands; each set, with each penalty, is scored like a penalty of an ordinary ridge on features
// times the roots of their band's weights, so that lambda of a band is the common lambda divided by its weight, and each voxel
// keeps the best (random search, Dupré la Tour et al. 2022). [Model.Evaluate] splits the variance explained between bands.
// Since r does not see the size of a prediction, choose by [R2] where the split is to be read: a voxel that nothing
// predicts may be given any penalty by r.
//
// # Memory
//
// Responses are read some voxels at a time ([FitColumns]), so that beside the weights a fit holds the features, one
// decomposition and a few blocks of 8 MB. The slow test of this package prints what that comes to.
//
// # Caveats
//
// Features and responses are centred by the means of the training rows (of the fold, or all), which is an
// unpenalised intercept; see [Options.NoIntercept]. Chunks break at multiples of [Options.ChunkRows], whatever the
// stories. A fold in which a voxel, or its prediction, is constant counts 0 for that voxel, for R2 too, where himalaya counts the
// difference of the means. The last bits depend on the number of threads of package torch, the choice of folds and of
// weights only on the seed. Each set of weights costs as much as an ordinary ridge; with many more features than rows most of
// that is the kernel, which is computed anew. Fit and Predict run as closures of package torch: inside another closure, pass
// its context.
package ridge
