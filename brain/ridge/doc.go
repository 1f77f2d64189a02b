// Package ridge fits the linear maps from features to voxels by which encoding models are scored: ridge
// regression with a penalty of its own for every voxel, chosen by cross-validation over chunks of time.
//
//	W(α) = argmin ‖Y - XW‖² + α²‖W‖²
//
// # Alphas
//
// An alpha is HuthLab's: it meets the singular values of X, so scikit-learn's and himalaya's penalty is its
// square, lambda = alpha².
//
// # Method
//
// One eigendecomposition serves all alphas and all voxels of a fold: of XᵀX, or of the kernel XXᵀ where there
// are fewer rows than features. With Q and λ its vectors and values, the predictions of held-out rows are
// E·diag(1/(λ+α²))·Z, where E is made from the features alone and Z from training features and responses.
// These products are float32, safe because the directions do not mix; decompositions and Z are float64, and so are the
// weights until stored. Directions whose λ is no more than rounding are left out, which makes
// alpha 0 the least-norm solution and collinear features harmless.
//
// # Caveats
//
// Features and responses are centred by the means of the training rows (of the fold, or all), which is an
// unpenalised intercept; see [Options.NoIntercept]. Chunks break at multiples of [Options.ChunkRows], whatever the
// stories. A fold in which a voxel, or its prediction, is constant counts 0 for that voxel. The last bits depend on
// the number of threads of package torch, the choice of folds only on the seed. Fit and Predict run as closures of
// package torch: inside another closure, pass its context.
package ridge
