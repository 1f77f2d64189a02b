// Package sweep runs an experiment once for every combination of some settings and tabulates the
// results.
//
// Every combination is an ordinary run directory below one folder. [Run] may be interrupted and called
// again: finished runs are read, an interrupted run resumes from its checkpoint, and the table is
// bit-identical to that of an uninterrupted sweep. A run that fails becomes a row with its error; the
// other runs continue, and the failed run is tried again by the next call, unless it diverged.
//
// Several processes may call Run on one folder, on one machine or on many that share it. The lock of a
// run directory decides which process works on it. When all runs are finished each process writes the
// same table.
//
// Runs that read the same windows with the same model share data, model and the output of its front
// end. A sweep over learning rates, ranks and seeds therefore costs less than its runs one by one.
//
// # Caveats
//
// Settings are ranked by their scores on the validation rows, and only the best one is scored on the
// test rows: to choose a setting by its test score and then to report that score is circular. The
// validation score of the best of many settings is too high; Configurations of the table is their
// number. Options.Reveal scores the test rows of all settings. Each run whose test rows were scored
// has a line in test_reads.jsonl.
package sweep
