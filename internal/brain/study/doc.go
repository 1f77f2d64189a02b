// Package study brings an experiment, its data set and its speech model together: subjects with their rows in each
// split, stories with their audio, and the audit that refuses splits that share stimulus audio.
package study
