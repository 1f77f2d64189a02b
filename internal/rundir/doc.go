// Package rundir writes and resumes run directories: the lock, config and metrics, checkpoints, and
// the metadata of readouts. Package brain/results has the types of the files that other programs read.
package rundir
