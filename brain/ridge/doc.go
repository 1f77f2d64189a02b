// Package ridge fits linear encoding models, which map features to voxels: ridge regression with a penalty
// per voxel, or per voxel and band of features, chosen by cross-validation over contiguous rows.
//
//	W(λ) = argmin ‖Y - XW‖² + λ‖W‖²
//
// [Fit] takes matrices in memory, [FitColumns] reads responses in blocks of voxels. The result is a
// [Model], which predicts and scores other rows.
//
// # Alphas and lambdas
//
// Two conventions are in use. An alpha is that of HuthLab's code, which compares it to the singular values
// of X. A lambda is what scikit-learn and himalaya call alpha, the penalty on squared weights:
// lambda = alpha². [Options] take either.
//
// # Method
//
// One eigendecomposition serves all folds, penalties and voxels, and the last fit: that of XᵀX of all rows, or of
// the kernel XXᵀ if there are fewer rows than features. With its directions U, and D = diag(μ/(μ+λ)) of its
// eigenvalues μ, the predictions of held-out rows H from the t other rows T are (G_H + g/√t)·U_Tᵀ·Y_T with
// G = (I - W·D·Wᵀ)⁻¹·W·D, whose inverse is as small as the held-out rows are few (Woodbury's identity; leaveout.go
// has the whole). This is exact; an intercept is not penalised. A penalty that is small beside what the training
// rows alone have of a direction would lose digits: it, and a fold of very many rows, takes a decomposition of the
// training rows.
//
// Decompositions and everything that depends on features alone are float64. Products with voxels are float32 while
// penalties are compared, where that costs r at most about 1e-6, and float64 otherwise and in the final fit until the
// weights are stored. Means and scales of voxels are float64 sums. Directions whose μ is within rounding are left out:
// lambda 0 is then the least-norm solution, and collinear features do no harm.
//
// # Cross-validation from sums
//
// Where rows are many, a cross-validation from sums takes fewer operations: rows that the same folds hold out
// are a pattern, and one pass over the responses gives XᵀY of each pattern. All folds, all penalties and the
// last fit follow from these sums, without a prediction. The features are first turned to their principal
// directions, each divided by its size, so that float32 loses no direction. [Cost] says which form a fit took.
// It goes by counted operations; fits with [Options.Bands], or of more than 32 patterns, are direct. With 33,000
// rows, 3,072 features, 95,000 voxels, three folds of chunks and ten penalties, sums take 8.3e13 operations and
// a direct fit 2.4e14.
//
// # Folds
//
// [ChunkFolds] draws chunks of rows at random (HuthLab's bootstrap). [KFold] cuts the rows into k
// contiguous parts (KFold of scikit-learn and himalaya). The score of a penalty is the mean over folds of
// [R] or [R2].
//
// # Banded ridge
//
// In a banded ridge (Nunez-Elizalde et al. 2019) every band of features has a penalty of its own for each
// voxel. Sets of weights of the bands are drawn at random (Dupré la Tour et al. 2022). Each set, with
// each penalty, is scored like a penalty of an ordinary ridge on features times the square roots of their
// band's weights. The lambda of a band is therefore the common lambda divided by the band's weight, and
// each voxel keeps the best combination. [Model.Evaluate] splits the explained variance between the bands.
// Choose by [R2] if that split is of interest: r ignores the scale of a prediction, so a voxel that
// nothing predicts may get any penalty by r.
//
// # Memory
//
// Responses are read in blocks of voxels ([FitColumns]). Next to the weights a fit holds the features, one
// decomposition and a few blocks of 8 MB; from sums, blocks of 256 MB. The slow test of this package prints the total.
//
// # Caveats
//
//   - Features and responses are centred by the means of the training rows (of the fold, or all), which is
//     an unpenalised intercept; see [Options.NoIntercept].
//   - Chunks break at multiples of [Options.ChunkRows], regardless of stories.
//   - A fold in which a voxel or its prediction is constant scores 0 for that voxel, also by R2, for which
//     himalaya scores the difference of the means.
//   - The last bits depend on the number of threads of package torch. Folds and weights depend on the
//     seed alone.
//   - Each set of weights costs as much as an ordinary ridge. With many more features than rows most of
//     that is the kernel, which is computed for each set.
//   - Fit and Predict run as closures of package torch: within another closure, pass its context.
package ridge
