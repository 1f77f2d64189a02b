package clean

import "math"

// Cosines are the columns of a discrete cosine transform up to highPass hertz, for rows that are tr seconds apart,
// without the constant one: the high-pass filter of SPM and nilearn. A run that is shorter than half a period has none.
func Cosines(rows int, tr, highPass float64) [][]float64 {
	order := min(rows-1, int(math.Floor(2*float64(rows)*highPass*tr)))
	var out [][]float64
	for k := 1; k <= order; k++ {
		column := make([]float64, rows)
		for t := range column {
			column[t] = math.Sqrt(2/float64(rows)) * math.Cos(math.Pi/float64(rows)*(float64(t)+.5)*float64(k))
		}
		out = append(out, column)
	}
	return out
}

// Legendre are the Legendre polynomials of degree 1 to degree over the rows of a run, as AFNI's -polort has them.
func Legendre(rows, degree int) [][]float64 {
	x := func(t int) float64 {
		if rows == 1 {
			return 0
		}
		return 2*float64(t)/float64(rows-1) - 1
	}
	before, now := make([]float64, rows), make([]float64, rows)
	for t := range now {
		before[t], now[t] = 1, x(t)
	}
	var out [][]float64
	for n := 1; n <= degree; n++ {
		out = append(out, now)
		next := make([]float64, rows)
		for t := range next {
			next[t] = (float64(2*n+1)*x(t)*now[t] - float64(n)*before[t]) / float64(n+1)
		}
		before, now = now, next
	}
	return out
}

// PolortDegree is the degree that AFNI takes for a run of this length by -polort A: 1, and one more for each 150 s.
func PolortDegree(rows int, tr float64) int { return 1 + int(float64(rows)*tr/150) }
