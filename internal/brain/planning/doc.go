// Package planning estimates the cost of a study and the sensitivity of its test rows (package plan has the result).
// [Estimate] measures pieces of the study on this machine (a few windows, steps and ridges) and multiplies.
package planning
