// Package lag asks whether responses and audio are on one clock, before any money is spent on tuning.
//
// [Run] reads a data set and nothing else: no speech model. For every person and story it predicts the responses from
// cheap properties of the sound (loudness, four bands of the spectrum, word rate if the data set has words), convolved
// with a canonical haemodynamic response, shifted from -10 to +10 s. The shift at which they predict best is the lag:
// positive when the responses come later than the audio clock says. It should be near 0. Beside it, Run compares the
// lengths of audio and responses, looks for a lag that grows with time (a wrong TR), for half a TR (a wrong row_time), and
// for stories whose responses belong to another one.
//
// # Method
//
// Features are sampled every .1 s, convolved with SPM's double gamma (its peak is 5 seconds after the sound) and
// read at the rows' times less the lag. The same rows are used at every lag: those that lie within the audio at all of
// them. Features and responses lose their slow drift (Legendre, one degree for every 150 s and one more, as in AFNI) and are
// standardised per story. At each lag a ridge is fitted on four fifths of a person's rows, for all stories together, and
// predicts the fifth that is left; r(lag) is the mean over voxels and rows of the product of standardised prediction and
// response. A parabola through the points within 1.5 s of the highest gives the lag.
//
// The interval is the 2.5 to 97.5 percentile of that lag over 500 draws of blocks of rows, common to all people, as long
// as brain/stats says. Under 20 blocks there is none. A peak is called clear if it is more than 3 standard errors above 0.
//
// Two stories look swapped in a person if each one's responses fit the other's sound best, better than their own, and together
// by 4 SDs better than responses rolled in time do (6 where the person has no clear lag). In simulated studies of twelve stories
// of two minutes, voxels half noise, seeds that the thresholds were not chosen on, that said so of 1 of 40 people whose stories
// were right, of 0 of 38 who had heard other stories, and of 16 of 20 pairs that were swapped; on those it was chosen on, of 0 of 50,
// 0 of 48, and 14 of 25. So a swap in one person may be missed; one that is said of several people is hardly chance.
//
// # Caveats
//
// A real haemodynamic response peaks some 4 to 7 s after the sound, by region and person, so a lag within 2 s of 0 is no
// mistake. The interval covers the draw of rows, not that. A mean lag says little of people who have no clear peak.
//
// All rows are looked at, those of later test stories too; the features are not those of any speech model.
package timing
