// Package rerun compares a run with its repetition: what they were made with and of, and what came out.
package rerun
