package controls

import (
	"math"
	"math/cmplx"
	"math/rand/v2"

	"gonum.org/v1/gonum/dsp/fourier"
)

// blockRows is the number of rows that stay together when responses are shuffled.
const blockRows = 10

// shuffle permutes the blocks of x, (rows, width), so that none keeps its position. The last block
// may be shorter. With fewer than two blocks, x is rolled by half instead.
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

// deranged reports whether no element is at its own position.
func deranged(order []int) bool {
	for i, o := range order {
		if i == o {
			return false
		}
	}
	return true
}

// randomisePhases randomises the phases of x, (rows, width). Each column keeps its mean and the
// power of every frequency. All columns are shifted by the same phases, so their correlations stay
// the same (Prichard & Theiler, Phys. Rev. Lett. 73:951, 1994).
func randomisePhases(x []float32, rows, width int, r *rand.Rand) []float32 {
	fft := fourier.NewFFT(rows)
	turn := make([]complex128, rows/2+1)
	for k := range turn {
		turn[k] = cmplx.Rect(1, 2*math.Pi*r.Float64())
	}
	turn[0] = 1
	if rows%2 == 0 { // the highest frequency has a sign only
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

// stretch returns x, (any, width), with the given number of rows: cut, or repeated from the start.
func stretch(x []float32, width, rows int) []float32 {
	out := make([]float32, 0, rows*width)
	for len(out) < rows*width {
		out = append(out, x[:min(len(x), rows*width-len(out))]...)
	}
	return out
}
