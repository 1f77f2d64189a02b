// Package publish makes a package of a finished run that can be given to others: the adapter and the readouts, with
// what is needed to predict and nothing else. It is a run directory that predict.Open reads.
//
// What goes in is listed here, key by key, and everything else stays out: subjects become aliases, and there are no
// names of stories, regions or files, no paths, no responses and predictions, no scores of single subjects or voxels,
// no surfaces, no data-set file and no text of anybody's header. Names of data set and licences are those that the
// caller gives.
package publish
