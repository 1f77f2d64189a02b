package studytest

import "github.com/brainwavlm/bwlm/brain/design"

// Moments of column c of x over the given rows.
func Moments(x []float32, cols, c int, rows ...design.Rows) (mean, sd float64) {
	z := design.FitZScore(x, len(x)/cols, cols, rows...)
	return z.Mean[c], z.SD[c]
}
