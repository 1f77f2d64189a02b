// Package stats scores predictions of brain responses and says how sure the scores are.
//
// # Scores and ceilings
//
// A score is Pearson's r between a voxel's predicted and measured response over the test rows ([Correlation]); a region's
// score is the mean over its voxels ([Mean]), a study's the mean over people. Repeated presentations bound what any model
// can reach ([Ceiling]), and a score beside that bound says how much is left ([Normalise]). Without repeats the people
// are each other's: one against the mean of the others ([LeaveOneOut]), or one half against the other ([SplitHalf]). A
// set of voxels that a ceiling chose remembers it ([Mask]), since on the same story it is not independent.
//
// # Chance
//
// Rows next to each other in time are not independent, so whole blocks of rows are drawn or shuffled, the same for all
// voxels, and every r is computed anew:
//
//   - [PermutationTest]: is a voxel's r above chance? Blocks of the responses change places.
//   - [PairedTest]: does one of two systems predict better? Their predictions are swapped in random blocks; or in random
//     stories or people, for a statement about those.
//   - [PairedBootstrap]: 95 % intervals of scores and of their difference. Blocks are drawn again with replacement.
//     [GroupScore.NotWorse] reads from it whether a loss of a given size can be excluded.
//   - [ShiftNull]: what chance reaches with these very series, every shift of the responses in a circle.
//
// Each p has the true arrangement counted among the shuffled, so none is 0. All tests of a table are one family: PMax is
// corrected by the largest score of each shuffle, Q and QBY control the false discovery rate ([BenjaminiHochberg],
// [BenjaminiYekutieli]). Whether a test is one- or two-sided is an option and stands with its result.
//
// # How far to trust them
//
// TestCalibrationOnManyDataSets simulates people in whom nothing is to be found: first-order noise of φ = .5 or .8 in
// responses and predictions, partly shared between voxels, 300 rows (600 for intervals). Blocks have the length that
// follows from the responses' memory unless said otherwise:
//
//	                                                    φ = .5   φ = .8
//	p ≤ .05: r above chance, one-sided, blocks of 10      .054     .072
//	p ≤ .05: r above chance, two-sided                    .056     .059
//	p ≤ .05: difference, two-sided, voxels                .057     .064
//	p ≤ .05: difference, two-sided, regions               .059     .064
//	95 % interval misses r                                .061     .064
//	95 % interval misses the difference                   .062     .063
//	a loss of just the margin is called not worse         .058     .062
//
// (standard errors: .001 and .002 for the last three lines). They err a little too often since memory over the border of a
// block is lost. Rows shuffled one by one, two-sided, would err in .11 and .36. Ceilings of five repeats and SNRs of .1 to 2
// are off by -.003 and -.007 on average, which is the faintest voxels' doing.
//
// Matrices are row-major float32, (rows, voxels): one row per TR. Sums are float64.
//
// Caveats. An interval covers the draw of test rows only, not the draw of people or of stories beyond those
// tested. A column that cannot be scored (constant, or not finite) has score 0 and a flag, stays in its
// place, and takes no part in means and families. Wrong lengths are the caller's mistake: the plain functions panic.
package stats
