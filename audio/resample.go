package audio

import (
	"math"
)

// A resampler converts a stream from one rate to another with a polyphase kernel: the fraction of
// n·from/to takes only to/gcd values, and each has its row of weights. Where there are too many, a
// row is interpolated between two of a grid; the error stays below the stop band.
type resampler struct {
	step, phases int // from/gcd and to/gcd: output n lies at n·step/phases input samples
	half         int // weights on each side of an output sample
	rows         int
	table        []float64 // (rows+1, 2·half): row r is for a fraction r/rows past an input sample

	x     []float64 // input that is still needed; it starts with half-1 zeros, the input before the first sample
	at    int       // where in x the window of the next output sample starts
	phase int       // the next output's fraction, in 1/phases
	in    int64     // samples pushed
	out   int64     // samples pulled
	last  bool      // no more input will come
}

const (
	// maxTable bounds the number of weights (2 MB). Beyond it, rows are interpolated.
	maxTable = 1 << 18
	// gridRows is the resolution of the kernel for interpolation, in steps per sample of the lower
	// rate. The error of linear interpolation is at most h″/8 · gridRows⁻² ≈ 3e-7 of full scale
	// (-130 dB).
	gridRows = 1024
)

func newResampler(from, to int, method Method) *resampler {
	g := gcd(from, to)
	r := &resampler{step: from / g, phases: to / g}
	if r.step == r.phases {
		return r
	}
	k := sincKernel(from, to)
	if method == Torchaudio {
		k = torchaudioKernel(from, to)
	}
	r.half = int(math.Ceil(k.half))
	r.rows = r.phases
	if r.rows*2*r.half > maxTable {
		r.rows = min(r.phases, max(1, int(math.Ceil(gridRows*min(1, float64(to)/float64(from))))))
	}
	r.table = make([]float64, 0, (r.rows+1)*2*r.half)
	for row := range r.rows + 1 {
		fraction := float64(row) / float64(r.rows)
		weights := r.table[len(r.table) : len(r.table)+2*r.half]
		sum := 0.0
		for j := range weights {
			weights[j] = k.at(fraction + float64(r.half-1-j))
			sum += weights[j]
		}
		if k.unity {
			for j := range weights {
				weights[j] /= sum
			}
		}
		r.table = r.table[:len(r.table)+len(weights)]
	}
	r.x = make([]float64, r.half-1)
	return r
}

// push adds input.
func (r *resampler) push(x []float64) {
	r.in += int64(len(x))
	// Input before the window is no longer needed. The window moves by at least this block before
	// the next push, so the copy is small.
	done := min(r.at, len(r.x))
	r.x = append(r.x[:copy(r.x, r.x[done:])], x...)
	r.at -= done
}

// end marks the end of the input. Samples beyond it count as 0.
func (r *resampler) end() {
	r.push(make([]float64, r.half))
	r.in -= int64(r.half)
	r.last = true
}

// ended reports whether end was called.
func (r *resampler) ended() bool { return r.last }

// pull sets as many samples of dst as the input allows, and returns their number.
func (r *resampler) pull(dst []float32) int {
	if left := resampledLen(r.in, r.step, r.phases) - r.out; r.last && int64(len(dst)) > left {
		dst = dst[:left]
	}
	n := 0
	if r.table == nil {
		n = min(len(dst), len(r.x)-r.at)
		for i, x := range r.x[r.at : r.at+n] {
			dst[i] = float32(x)
		}
		r.at += n
	}
	for ; r.table != nil && n < len(dst) && r.at+2*r.half <= len(r.x); n++ {
		dst[n] = float32(r.sample(r.x[r.at : r.at+2*r.half]))
		r.phase += r.step
		r.at += r.phase / r.phases
		r.phase %= r.phases
	}
	r.out += int64(n)
	return n
}

// sample is the weighted sum of one window of input.
func (r *resampler) sample(window []float64) float64 {
	width := 2 * r.half
	place := r.phase * r.rows
	row, rest := place/r.phases, place%r.phases
	y := dot(window, r.table[row*width:])
	if rest != 0 {
		next := dot(window, r.table[(row+1)*width:])
		y += (next - y) * float64(rest) / float64(r.phases)
	}
	return y
}

// dot is Σ x·w over x. Four independent sums avoid waiting for each addition.
func dot(x, w []float64) float64 {
	w = w[:len(x)]
	var a, b, c, d float64
	i := 0
	for ; i+4 <= len(x); i += 4 {
		x4, w4 := x[i:i+4:i+4], w[i:i+4:i+4]
		a += x4[0] * w4[0]
		b += x4[1] * w4[1]
		c += x4[2] * w4[2]
		d += x4[3] * w4[3]
	}
	for ; i < len(x); i++ {
		a += x[i] * w[i]
	}
	return (a + b) + (c + d)
}

// resampledLen is the length of n samples at another rate: every output sample that lies before the
// input's end.
func resampledLen(n int64, from, to int) int64 {
	f, t := int64(from), int64(to)
	return n/f*t + (n%f*t+f-1)/f
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
