// Package imports makes a data set of the files of a laboratory: it finds stories, subjects and responses in a folder,
// and writes a commented dataset.yaml with what it needs.
//
// # How a kind of source plugs in
//
// A kind is a package below this one (or, as [Arrays], a function of this one) with a function that returns a [Found]:
// what the files are, how the clock of each response was derived, what was guessed and what was left out. It reads
// headers and tables, and no values. [Found.Import] does the rest for all kinds.
//
//   - A [Response] says its shape and what it is made from ([File]). Its Open returns a [Rows]: the rows of the first
//     repeat, then those of the second. [OpenArray] is that of an array in a file of arrays, [Part] of some of its
//     rows. A response that can be read where it lies sets InPlace, and then need not be copied.
//   - Content that is not there (links of git-annex, Git LFS) goes to Found.Missing, by [Found.File].
//   - A mask, regions of interest, motion and words are fields of [Subject], [Response] and [Story].
//   - Files are listed by [Found.EachFile]. Where recordings have the names of stories, [Stimuli] collects them and
//     [Found.Hear] makes the stories, so that all kinds leave out and note the same.
//
// # What Import writes
//
// Copied responses are SUBJECT/STORY.npy, which NumPy maps. A voxel without a number in all rows of a story is left out
// of the subject in all stories, or, where responses are named where they lie or a kind says that subjects share the
// space ([Subject]), keeps its column and is named under empty; voxels.json says so. One without a number in single
// rows is an error. The digest of a git-annex key is compared with what is read. import.json has the origin of every
// file. experiment.yaml is a file to start from.
//
// With [Options].Check recordings are compared with each other by their fingerprints, and responses with recordings by
// package timing, both on a bounded part. Stories that share audio stay in one split of experiment.yaml.
//
// The folder appears whole: it is made as DIR.tmp, which stays if the program ends early. The same command goes on from
// there and keeps the files that it finished, if their sources have not changed. Nothing is written in the source.
package imports
