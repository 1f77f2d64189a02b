// Package tune trains a study: optimizer steps on blocks of rows, validation after each epoch, retention constraints,
// ridge readouts, checkpoints, and resuming that is bit-identical to an uninterrupted run.
package tune
