// Package stats scores predictions of brain responses and says how sure the scores are.
//
// A score is Pearson's r between a voxel's predicted and measured response over the test rows
// ([Correlation]); a region's score is the mean over its voxels ([Mean]), a study's the mean over people.
// Two systems that predict the same rows are compared by a paired block bootstrap ([PairedBootstrap]):
// rows next to each other in time are not independent, so whole blocks of rows are drawn again, the same
// blocks for all voxels, all people and both systems, and every r is computed anew in each draw.
// Repeated presentations bound what any model can reach ([Ceiling]), and responses shifted in a circle show
// what r chance alone reaches with these very series ([ShiftNull]).
//
// Matrices are row-major float32, (rows, voxels): one row per TR. Sums are float64.
//
// Caveats. An interval covers the draw of test rows only, not the draw of people or of stories beyond those
// tested. A column that cannot be scored (constant, or not finite) has score 0 and a flag, stays in its
// place, and takes no part in means. Wrong lengths are the caller's mistake: the plain functions panic.
package stats
