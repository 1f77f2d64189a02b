// Package probe asks what can be read out of a representation by linear means.
//
// A probe is a ridge from features to known properties of the stimulus, such as the loudness or the meaning of what
// is said. It is fitted on some stories and scored on others, so a score says what the representation holds in a form
// that carries over. Compare scores of one probe before and after tuning; the scores themselves depend on how many
// rows there are to fit.
package probe
