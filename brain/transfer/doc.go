// Package transfer measures whether a tuned model generalises to other subjects.
//
// [Run] tunes on one subject and tests on all others (the matrix), and on all subjects but one with a shared
// adapter and a readout per subject (leave one out). Only a ridge is fitted to a tested subject, on its own
// training rows: once on the features of the untuned and once on those of the tuned model, with the same
// rows, folds and seeds. No subject's tuning contains the test stories: a story that several subjects heard
// is one stimulus.
//
// Leaving each subject out in turn gives
//
//   - the difference tuned − base on unseen stories for subjects whose responses were in the tuning, and for
//     the subject whose responses were not;
//   - the difference for the unseen subject if the ridge, too, is fitted on stories that no tuning contains;
//   - the curve of score against minutes of the new subject's data for untuned and tuned features, and from
//     it the minutes saved: how much less data reaches the score of the untuned model with all data.
//
// # Caveats
//
// Intervals are over subjects: they cover the choice of subjects, not that of stories. With fewer than five
// subjects there are none. The score of a subject is a mean over few test rows and uncertain by itself.
//
// Minutes saved are interpolated on the mean curve, conservatively: the tuned curve must stay at the goal or
// above from there on. The early points of the curve rest on few rows, with few chunks for cross-validation.
package transfer
