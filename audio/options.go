package audio

import (
	"fmt"

	"github.com/brainwavlm/bwlm/fault"
)

// Rate is the sample rate of all results, in Hz, at which WavLM, HuBERT and wav2vec 2.0 are
// trained.
const Rate = 16000

// minSamples is the length of the shortest clip that is accepted: the receptive field of the speech
// models' convolutional front end, 25 ms.
const minSamples = 400

// Rates outside these bounds are refused as damage: no speech is recorded below telephone rates or
// above 384 kHz.
const (
	minRate = 4000
	maxRate = 384000
)

// maxChannels bounds the size of one frame of samples; 64 channels are seventh-order ambisonics.
const maxChannels = 64

// defaultMaxSeconds is the longest audio accepted unless Options.MaxSeconds says otherwise: 6
// hours.
const defaultMaxSeconds = 6 * 3600

// A Method is a way to convert the sample rate.
type Method string

const (
	// Sinc is a Kaiser-windowed sinc, flat to 90 % of the lower Nyquist frequency, 110 dB down from
	// there on.
	Sinc Method = "sinc"
	// Torchaudio is the kernel of torchaudio.functional.resample with its default arguments.
	Torchaudio Method = "torchaudio"
)

// Options are those of [Load] and [Decode]. The zero value is right for most uses.
type Options struct {
	Channel        int     // 0 averages all channels; k picks channel k, counting from 1
	Resample       Method  // Sinc if empty
	NoResample     bool    // refuse a rate that is not 16 kHz
	AllowTruncated bool    // read what there is of a file that ends early
	MaxSeconds     float64 // longest audio accepted; 6 hours if 0
	MaxChannels    int     // most channels accepted; 64 if 0
}

func (o Options) maxSeconds() float64 {
	if o.MaxSeconds == 0 {
		return defaultMaxSeconds
	}
	return o.MaxSeconds
}

// check refuses options that can never be met, whatever the file.
func (o Options) check() error {
	why := ""
	switch {
	case o.Channel < 0:
		why = fmt.Sprintf("channel %d; channels count from 1, and 0 averages all", o.Channel)
	case o.Resample != "" && o.Resample != Sinc && o.Resample != Torchaudio:
		why = fmt.Sprintf("no resampling method %q; there are %q and %q", o.Resample, Sinc, Torchaudio)
	case o.MaxChannels < 0:
		why = fmt.Sprintf("at most %d channels are accepted, which no audio meets", o.MaxChannels)
	case !(o.MaxSeconds >= 0):
		why = fmt.Sprintf("at most %g seconds are accepted, which no audio meets", o.MaxSeconds)
	default:
		return nil
	}
	return fault.New(fault.Usage, reading, "", "%s", why)
}
