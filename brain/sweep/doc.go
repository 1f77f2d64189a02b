// Package sweep runs an experiment once for every combination of some settings and tabulates the
// results.
//
// Every combination is an ordinary run directory below one folder. [Run] may be interrupted and called
// again: finished runs are read, an interrupted run resumes from its checkpoint, and the table is
// bit-identical to that of an uninterrupted sweep. A run that fails becomes a row with its error; the
// other runs continue, and the failed run is tried again by the next call.
//
// Runs that read the same windows with the same model share data, model and the output of its front
// end. A sweep over learning rates, ranks and seeds therefore costs less than its runs one by one.
//
// # Caveats
//
// The table lists test scores of every setting. To choose a setting by its test score and then to
// report that score is circular: choose by the gain on the validation rows, which the table lists, too.
package sweep
