// Package stats scores predictions of brain responses and estimates how certain the scores are.
//
// # Scores and noise ceilings
//
// A score is Pearson's r between the predicted and the measured response of a voxel over the test rows
// ([Correlation]). The score of a region is the mean over its voxels ([Mean]), that of a study the mean over
// subjects. Repeated presentations of a story bound what any model can reach ([Ceiling]); scores relative
// to that bound are given by [NormaliseByCeiling]. Without repeats, subjects who heard the same story bound
// each other: inter-subject correlation ([LeaveOneOutISC]) or split-half reliability
// ([SplitHalfReliability]).
//
// # Tests and intervals
//
// Rows that are next to each other in time are correlated. Whole blocks of rows are therefore permuted or
// resampled, the same blocks for all voxels, and every r is computed anew:
//
//   - [PermutationTest]: is the r of a voxel above chance? Blocks of the responses are permuted.
//   - [PairedTest]: does one of two models predict better? Their predictions are swapped in random blocks; or
//     in random stories or subjects, for a statement about stories or subjects.
//   - [PairedBootstrap]: 95 % intervals of scores and of their difference from a block bootstrap.
//     [GroupScore.NonInferiority] tests from it whether a loss of a given size can be excluded.
//   - [ShiftNull]: the score for every circular shift of the responses.
//
// The observed arrangement is counted as one of the permutations, so no p is 0. All tests of a table are
// one family: PMax is corrected by the largest score of each permutation, and Q and QBY control the false
// discovery rate ([BenjaminiHochberg], [BenjaminiYekutieli]). Whether a test is one- or two-sided is an
// option and part of the result.
//
// # Measured error rates
//
// TestCalibrationOnManyDataSets simulates subjects without an effect: first-order autoregressive noise with
// φ = .5 or .8 in responses and predictions, partly shared between voxels, 300 rows (600 for intervals).
// The length of blocks follows from the autocorrelation of the responses unless given:
//
//	                                                    φ = .5   φ = .8
//	p ≤ .05: r above chance, one-sided, blocks of 10      .054     .072
//	p ≤ .05: r above chance, two-sided                    .056     .059
//	p ≤ .05: difference, two-sided, voxels                .057     .064
//	p ≤ .05: difference, two-sided, regions               .059     .064
//	95 % interval misses r                                .061     .064
//	95 % interval misses the difference                   .062     .063
//	a loss of just the margin is called non-inferior      .058     .062
//
// The standard errors are .001, and .002 for the last three lines. The rates are slightly above .05 because
// the correlation across the borders of blocks is lost. With single rows permuted, the two-sided rates
// would be .11 and .36. Noise ceilings of five repeats at SNRs of .1 to 2 are biased by -.003 and -.007 on
// average, which is due to the voxels with the lowest SNR.
//
// # Conventions
//
// Matrices are row-major float32, (rows, voxels), one row per TR. Sums are float64. A column that cannot
// be scored (constant, or not finite) has score 0 and a flag; it keeps its index and takes no part in
// means and families. Sizes that do not match are errors of the caller: functions without an error result
// panic.
//
// # Caveats
//
// An interval over blocks covers the sampling of test rows only, not that of subjects or of other stories.
package stats
