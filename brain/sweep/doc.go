// Package sweep runs an experiment once for every combination of some settings, and makes one table of it.
//
// Every combination is an ordinary run directory below one folder. [Run] may be stopped and called again: what is finished
// is read, what was interrupted goes on from its checkpoint, and the table is the same, to the digit, as if nothing had
// happened. A run that fails is a line with its error; the others go on, and it is tried again the next time.
//
// Combinations that read the same windows with the same model share data, model and the front end's output, so that a
// sweep over rates, ranks and seeds costs less than its runs one by one.
//
// # Caveats
//
// The table shows what test rows say of every setting. Choosing a setting by them, and then reporting its test score, is
// choosing by the test: choose by the gain on validation rows, which stands beside it.
package sweep
