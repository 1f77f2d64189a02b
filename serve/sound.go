package serve

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"math"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/openinference"
)

const inferring = "infer"

// samplesOf returns the audio of a request at the rate of the models.
func samplesOf(ctx context.Context, q *Request, l Limits) ([]float32, error) {
	opt := audio.Options{MaxSeconds: l.Seconds, MaxChannels: l.Channels}
	if len(q.Audio) > 0 && len(q.Samples) > 0 {
		return nil, fault.New(fault.Usage, inferring, "", "both %s and %s are given", openinference.InputAudio,
			openinference.InputSamples)
	}
	if len(q.Samples) == 0 {
		if len(q.Audio) == 0 {
			return nil, fault.New(fault.Usage, inferring, "", "neither %s nor %s has elements",
				openinference.InputAudio,
				openinference.InputSamples)
		}
		clip, err := audio.Decode(ctx, openinference.InputAudio, bytes.NewReader(q.Audio), int64(len(q.Audio)), opt)
		if err != nil {
			return nil, err
		}
		return clip.Samples, nil
	}
	rate := q.SampleRate
	if rate == 0 {
		rate = audio.Rate
	}
	switch seconds := float64(len(q.Samples)) / float64(rate); {
	case rate < 0 || rate > math.MaxInt32:
		return nil, fault.New(fault.Usage, inferring, openinference.ParamRate, "%d Hz is no rate", rate)
	case seconds > l.Seconds:
		return nil, fault.New(fault.BadData, inferring, openinference.InputSamples,
			"%.3g s of audio, more than the limit of %g s",
			seconds,
			l.Seconds)
	case rate == audio.Rate:
		return q.Samples, nil
	}
	file := wave{q.Samples, waveHeader(len(q.Samples), rate)}
	clip, err := audio.Decode(ctx, openinference.InputSamples, file, file.size(), opt)
	if err != nil {
		return nil, err
	}
	return clip.Samples, nil
}

// wave is samples as a WAV file of 32-bit floats, which package audio resamples as it does every file.
type wave struct {
	samples []float32
	header  []byte
}

func (w wave) size() int64 { return int64(len(w.header)) + 4*int64(len(w.samples)) }

// ReadAt reads bytes of the file.
func (w wave) ReadAt(p []byte, at int64) (n int, err error) {
	for ; n < len(p) && at < w.size(); n++ {
		if k := at - int64(len(w.header)); k < 0 {
			p[n] = w.header[at]
		} else {
			p[n] = byte(math.Float32bits(w.samples[k/4]) >> (8 * (k % 4)))
		}
		at++
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// waveHeader returns the header of a WAV file of n samples of one channel.
func waveHeader(n, rate int) []byte {
	const float, bits = 3, 32
	var b []byte
	b = append(b, "RIFF"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(36+4*n))
	b = append(b, "WAVEfmt "...)
	b = binary.LittleEndian.AppendUint32(b, 16)
	b = binary.LittleEndian.AppendUint16(b, float)
	b = binary.LittleEndian.AppendUint16(b, 1)
	b = binary.LittleEndian.AppendUint32(b, uint32(rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate*bits/8))
	b = binary.LittleEndian.AppendUint16(b, bits/8)
	b = binary.LittleEndian.AppendUint16(b, bits)
	b = append(b, "data"...)
	return binary.LittleEndian.AppendUint32(b, uint32(4*n))
}
