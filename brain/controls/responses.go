package controls

import (
	"math"
	"math/cmplx"
	"math/rand/v2"

	"gonum.org/v1/gonum/dsp/fourier"
)

// blockRows is how many rows stay together when responses are shuffled.
const blockRows = 10

// shuffle puts the blocks of x (rows, width) in random order. The last block may be shorter. Where there are blocks
// enough, none stays at its place; fewer than two blocks are rolled by half instead.
func shuffle(x []float32, rows, width int, r *rand.Rand) []float32 {
	blocks := (rows + blockRows - 1) / blockRows
	out := make([]float32, 0, len(x))
	if blocks < 2 {
		half := rows / 2 * width
		return append(append(out, x[half:]...), x[:half]...)
	}
	order := r.Perm(blocks)
	for !deranged(order) {
		order = r.Perm(blocks)
	}
	for _, b := range order {
		out = append(out, x[b*blockRows*width:min(rows, (b+1)*blockRows)*width]...)
	}
	return out
}

// deranged says that nothing is at its own place.
func deranged(order []int) bool {
	for i, o := range order {
		if i == o {
			return false
		}
	}
	return true
}

// randomisePhases gives x (rows, width) random phases: each column keeps its mean and the power of every frequency, and
// since all columns turn by the same phase, their correlations with each other stay as they are (Prichard & Theiler,
// Phys. Rev. Lett. 73:951, 1994). Only when what happened is lost.
func randomisePhases(x []float32, rows, width int, r *rand.Rand) []float32 {
	fft := fourier.NewFFT(rows)
	turn := make([]complex128, rows/2+1)
	for k := range turn {
		turn[k] = cmplx.Rect(1, 2*math.Pi*r.Float64())
	}
	turn[0] = 1
	if rows%2 == 0 { // the highest frequency has no phase but its sign
		turn[rows/2] = complex(float64(1-2*r.IntN(2)), 0)
	}
	out, column := make([]float32, len(x)), make([]float64, rows)
	for c := range width {
		for k := range column {
			column[k] = float64(x[k*width+c])
		}
		f := fft.Coefficients(nil, column)
		for k := range f {
			f[k] *= turn[k]
		}
		for k, v := range fft.Sequence(nil, f) {
			out[k*width+c] = float32(v / float64(rows))
		}
	}
	return out
}

// stretch gives x, whose rows are width long, exactly so many rows: cut, or repeated from the start.
func stretch(x []float32, width, rows int) []float32 {
	out := make([]float32, 0, rows*width)
	for len(out) < rows*width {
		out = append(out, x[:min(len(x), rows*width-len(out))]...)
	}
	return out
}
