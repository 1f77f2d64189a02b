// Package timing checks the stimulus-response timing of a data set before a study: lag, TR, lengths and
// swapped stories. It reads the data set alone and no speech model.
//
// For every subject and story, [Run] predicts the responses from simple features of the sound: loudness,
// four spectral bands, and the word rate if the data set has words. Features are convolved with a canonical
// haemodynamic response function (HRF) and shifted from -10 to +10 s. The shift with the best prediction is
// the lag: positive if the responses are later than the audio clock. It should be near 0. Run also compares
// the lengths of audio and responses, and tests whether the lag grows within stories (a wrong TR), whether
// it is half a TR (a wrong row_time), and whether the responses to two stories are swapped.
//
// # Method
//
// Features are sampled every .1 s, convolved with SPM's double-gamma HRF, which peaks after 5 s, and
// sampled at the times of the rows minus the lag. All lags use the same rows: those that lie within the
// audio at every lag. Features and responses are detrended per story (Legendre polynomials, one degree plus
// one per 150 s, as in AFNI) and standardised. At each lag a ridge is fitted to four fifths of a subject's
// rows, over all stories, and predicts the other fifth. r(lag) is the mean over voxels and rows of the
// product of standardised prediction and response. The lag is the peak of a parabola through the points
// within 1.5 s of the highest.
//
// The interval is the 2.5 to 97.5 percentile of the lag over 500 bootstrap draws of blocks of rows, common
// to all subjects, with the length of blocks of package stats. With fewer than 20 blocks there is none. A
// peak is clear if it is more than 3 standard errors above 0; with n < 20 blocks, more than the quantile of
// Student's t for n - 1 degrees of freedom that has the same level, which is 6.6 for 5 blocks times √(5/4).
//
// Two stories count as swapped in a subject if the responses to each are predicted best by the sound of the
// other, better than by their own, and the two together are 4 SD above responses that are rolled in time (6
// SD if the subject has no clear lag). The thresholds were tested on simulated studies of twelve stories of
// two minutes, half of whose voxels are noise, with seeds other than those they were chosen on: a swap was
// reported for 1 of 40 subjects with correct stories, for 0 of 38 subjects who heard other stories, and for
// 16 of 20 swapped pairs; with the seeds they were chosen on, for 0 of 50, 0 of 48, and 14 of 25. A swap in
// one subject may therefore be missed, and one that is found in several subjects is unlikely to be chance.
//
// # Caveats
//
// Haemodynamic responses peak about 4 to 7 s after the sound, depending on region and subject, so a lag
// within 2 s of 0 is no error. The interval covers the sampling of rows, not this variation. A mean lag is
// not informative for subjects without a clear peak.
//
// All rows are used, including those of later test stories. The features are not those of a speech model.
package timing
