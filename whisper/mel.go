package whisper

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/dsp/fourier"

	"github.com/brainwavlm/bwlm/internal/parallel"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
)

// The spectrogram of transformers' WhisperFeatureExtractor.
const (
	fftSize = 400 // samples of a Hann window
	melHop  = 160 // samples from one frame to the next
	bins    = fftSize/2 + 1
	floor   = 1e-10 // of a power
	below   = 8     // decades below the largest value of the clip
)

// spectrogram computes log-mel spectrograms.
type spectrogram struct {
	filters [][]float64 // (mels, bins from first on)
	first   []int       // the first bin of each filter that is not 0
}

func newSpectrogram(mels int) *spectrogram {
	sp := &spectrogram{}
	for all := range slices.Chunk(melFilters(mels), bins) {
		from, to := 0, bins
		for from < to && all[from] == 0 {
			from++
		}
		for to > from && all[to-1] == 0 {
			to--
		}
		sp.filters, sp.first = append(sp.filters, all[from:to]), append(sp.first, from)
	}
	return sp
}

// frames returns the log-mel frames of a clip, (samples/melHop, M), in float64: the floor lies 80 dB below the largest
// value, where float32 would have few digits left.
func (sp *spectrogram) frames(wave []float32) []float32 {
	n, mels := len(wave)/melHop, len(sp.filters)
	out := make([]float32, n*mels)
	const piece = 64 // frames
	parallel.Each((n+piece-1)/piece, func(k int) {
		fft := fourier.NewFFT(fftSize)
		frame, spectrum := make([]float64, fftSize), make([]complex128, bins)
		for t := k * piece; t < min(n, (k+1)*piece); t++ {
			for i := range frame {
				window := .5 - .5*math.Cos(2*math.Pi*float64(i)/fftSize)
				frame[i] = window * float64(wave[reflected(t*melHop+i-fftSize/2, len(wave))])
			}
			fft.Coefficients(spectrum, frame)
			for m, filter := range sp.filters {
				power := 0.0
				for i, weight := range filter {
					c := spectrum[sp.first[m]+i]
					power += weight * (real(c)*real(c) + imag(c)*imag(c))
				}
				out[t*mels+m] = float32(math.Log10(max(power, floor)))
			}
		}
	})
	least := slices.Max(out) - below
	for i, y := range out {
		out[i] = (max(y, least) + 4) / 4
	}
	return out
}

// forward maps waveforms (B, S) to log-mel frames (B, S/melHop, M), each clip by itself.
func (sp *spectrogram) forward(wave *torch.Tensor) *torch.Tensor {
	clips, samples := wave.Dim(0), wave.Dim(1)
	var all []float32
	for clip := range slices.Chunk(wave.ToType(torch.Float32).Float32s(), samples) {
		all = append(all, sp.frames(clip)...)
	}
	return wave.Scope().FromFloat32(all, clips, samples/melHop, len(sp.filters))
}

// reflected returns the sample that stands at a place up to half a window outside of a clip, which reflects the clip.
func reflected(at, samples int) int {
	switch {
	case at < 0:
		return -at
	case at >= samples:
		return 2*(samples-1) - at
	}
	return at
}

// melFilters returns triangular filters on Slaney's mel scale up to half the sample rate, each with the area of its
// neighbours: (mels, bins).
func melFilters(mels int) []float64 {
	const top = speech.SampleRate / 2
	edges := make([]float64, mels+2)
	for i := range edges {
		edges[i] = hertz(mel(top) * float64(i) / float64(mels+1))
	}
	out := make([]float64, mels*bins)
	for m := range mels {
		low, middle, high := edges[m], edges[m+1], edges[m+2]
		for k := range bins {
			f := float64(k) * top / (bins - 1)
			height := min((f-low)/(middle-low), (high-f)/(high-middle))
			out[m*bins+k] = max(0, height) * 2 / (high - low)
		}
	}
	return out
}

// Slaney's scale is linear below 1 kHz and logarithmic above.
const (
	linearHertz = 200. / 3 // of a mel
	linearTop   = 1000.
	linearMels  = linearTop / linearHertz
)

var logStep = math.Log(6.4) / 27

func mel(f float64) float64 {
	if f < linearTop {
		return f / linearHertz
	}
	return linearMels + math.Log(f/linearTop)/logStep
}

func hertz(m float64) float64 {
	if m < linearMels {
		return m * linearHertz
	}
	return linearTop * math.Exp(logStep*(m-linearMels))
}
