// Package bidsdata reads what a folder in BIDS says about its time series: which files they are, when their rows were
// acquired, and which recording was played when. It reads headers and tables, not responses.
//
// [Open] lists a folder. [Tree.Scans] finds the responses of a raw or derived data set, or of both, and makes of each
// the stories that were played in it: file, rows, TR, the second of the recording at which row 0 begins, and a
// sentence on how that was derived. The rules follow BIDS 1.10 and what fMRIPrep writes:
//
//   - The sidecars of a file are all JSON files above it whose name has no entity that the file's name lacks or has
//     otherwise (inheritance). Deeper ones override. Those of a derived file come after those of its raw file.
//   - TR is RepetitionTime, and the header's pixdim[4] must agree. Without RepetitionTime the header's holds, in the
//     unit that it names. A TR of 100 s or more is refused.
//   - Onsets of events.tsv count from the first stored volume. NumberOfVolumesDiscardedByScanner changes nothing.
//   - A recording begins with the first event that names it: music before a story is a part of it. How long after the
//     beginning a story starts is taken from most subjects, so that a subject whose music was not logged right gets
//     the clock of the story.
package bidsdata
