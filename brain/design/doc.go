// Package design computes design matrices: it brings speech features and brain responses onto one
// clock.
//
// A story is played as audio and answered in rows, one per TR. The steps between the two are, in
// the order in which [BOLD] takes them: [Windows] cuts the audio, [Lanczos] or [Average]
// resamples the feature vectors of the windows to the times of the rows, [ZScore] gives each column
// mean 0 and SD 1, and [FIR] puts delayed copies side by side, since the haemodynamic response
// follows the stimulus by seconds. [Detrend] removes slow drift from responses.
//
// The [StimulusWindow] of a row, which follows from the design, is the stretch of audio that the
// row depends on. [Audit] compares the windows of training, validation and test rows, so that no
// two of them share stimulus.
//
// A matrix is []float32 in row-major order, and sums are taken in float64. Times are in seconds of
// the story's audio; rows count from 0. Functions panic on a wrong shape, which is a programming error, and
// return an error for what a user can get wrong (delays, splits).
//
// Two properties matter to those who interpret results. Lanczos interpolation uses up to 3 TRs of
// audio after a volume. The Lanczos weights of a row sum to about TR/stride and not to 1, as in
// HuthLab's code; the z-score that follows removes the factor.
package design
