// Package clean takes drifts and confounds out of time series: a high-pass filter of cosines or Legendre polynomials,
// head motion, components of aCompCor, and rows to be left out. It works on a whole run, before it is cut into
// stories, and in one projection, so that filters stay orthogonal (Lindquist et al. 2018).
//
// [New] makes an orthonormal basis of the regressors. A [Cleaner] goes through the rows of a run twice: in the first
// pass it learns the weights of all columns, in the second one it takes the regressors out. It holds one number for
// each column and regressor, never a run.
//
// Results equal those of nilearn.signal.clean (0.14) with standardize=None, filter "cosine" and the same confounds to
// 1e-6, with one exception: where a confound correlates with a cosine above .9, nilearn warns and leaves the whole
// filter out. Here the filter stays.
package clean
