// Package transfer asks of whom a tuned model has learnt: of one person's brain, or of what brains have in common.
//
// [Run] tunes on one person and tests on every other (the matrix), and on all people but one together, with one adapter
// and a readout for each (leave one out). Whoever is tested, the only thing fitted to them is a ridge on their own
// training rows, once on the untuned and once on the tuned model's features, with the same rows, folds and seeds. Test
// stories are never met in tuning by anybody: a story that several people heard is one stimulus.
//
// From leaving each person out in turn come
//
//   - the grid {seen, unseen person} × {unseen story}: the gain on people whose responses were in the tuning beside the
//     gain on the one whose were not;
//   - the gain of the new person where even the ridge is fitted on stories that no tuning has met;
//   - the curve of score against minutes of the new person's data, for untuned and tuned features, and from it the minutes
//     saved: how much less has to be recorded to reach what the untuned model reaches with everything.
//
// # Caveats
//
// Intervals are over people: they say how the mean would move with other people, not with other stories. With fewer than
// five subjects there are none. Each person's score is a mean over few test rows and is uncertain by itself; see
// bwlm eval for that. Minutes saved are read off the mean curve between measured points, conservatively: where the tuned
// curve stays above the goal from there on. The curve's early points rest on few rows, in which the ridge has few
// chunks to cross-validate on.
package transfer
