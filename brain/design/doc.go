// Package align brings speech features and brain volumes onto one clock.
//
// A story is heard as audio and answered in rows, one per TR. Between the two lie the steps of this package, in the
// order in which a run takes them: [Windows] cuts the audio, [Lanczos] or [Average] carries one feature vector per
// window to the rows' times, [ZScore] sets each column to mean 0 and SD 1, and [FIR] stands delayed copies side by side
// since the blood follows the speech by seconds. [Detrend] takes slow drift out of responses. [Reach] says which seconds
// of audio one row hears through all of these, and [Audit] uses it to prove that training and test never hear the same.
//
// Everything is a function of slices: a matrix is []float32 in row-major order, sums are taken in float64. Times are in
// seconds of the story's audio, rows count from 0. Wrong shapes are mistakes of the caller and panic; what a user can
// get wrong (delays, splits) returns an error.
//
// Caveats: Lanczos looks 3 TRs ahead of a volume, so a row depends on audio that came after it. The Lanczos weights of
// a row sum to about TR/stride, not to 1, as is the custom of the field; the z-score that follows removes the factor.
package design
