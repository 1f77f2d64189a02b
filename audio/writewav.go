package audio

import (
	"encoding/binary"
	"io"
	"math"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/atomicfile"
	"github.com/brainwavlm/bwlm/internal/quote"
)

// An Encoding is a format in which WriteWAV stores samples.
type Encoding int

const (
	PCM16   Encoding = iota // 16-bit integers, full scale 1; the rounding error is at most 2^-16
	Float32                 // IEEE 754, unchanged
)

// WriteWAV writes samples (T) of one channel as a WAV file at path, which is replaced as a whole or
// not at all. A sample that is not finite, or that is beyond full scale in PCM16, is a *fault.Error
// of kind BadData: no sample is clipped.
func WriteWAV(path string, samples []float32, rate int, enc Encoding) error {
	const writing = "write audio"
	if int64(rate) < minRate || rate > maxRate {
		return fault.New(fault.Usage, writing, quote.OneLine(path), "%d Hz; want %d to %d Hz", rate, minRate, maxRate)
	}
	tag, width := uint16(tagPCM), 2
	if enc == Float32 {
		tag, width = tagFloat, 4
	}
	if int64(len(samples)) > (math.MaxUint32-64)/int64(width) {
		return fault.New(fault.BadData, writing, quote.OneLine(path), "%d samples are more than a WAV file holds",
			len(samples))
	}
	for i, x := range samples {
		if x >= -1 && x <= 1 || enc == Float32 && x-x == 0 {
			continue
		}
		return fault.New(fault.BadData, writing, quote.OneLine(path), "sample %d is %v, beyond full scale", i, x).
			WithHint("scale the samples to [-1, 1]")
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		if _, err := w.Write(fmtHeader(tag, 1, rate, width, uint32(len(samples)*width))); err != nil {
			return err
		}
		var b [4]byte
		for _, x := range samples {
			if enc == Float32 {
				binary.LittleEndian.PutUint32(b[:], math.Float32bits(x))
			} else {
				v := min(math.Round(float64(x)*(1<<15)), math.MaxInt16)
				binary.LittleEndian.PutUint16(b[:], uint16(int16(v)))
			}
			if _, err := w.Write(b[:width]); err != nil {
				return err
			}
		}
		return nil
	})
}

// fmtHeader is a RIFF header with a fmt chunk and the head of a data chunk of size bytes.
func fmtHeader(tag uint16, channels, rate, width int, size uint32) []byte {
	le := binary.LittleEndian
	b := make([]byte, 0, 44)
	b = append(b, "RIFF"...)
	b = le.AppendUint32(b, 36+size+size&1)
	b = append(b, "WAVEfmt "...)
	b = le.AppendUint32(b, 16)
	b = le.AppendUint16(b, tag)
	b = le.AppendUint16(b, uint16(channels))
	b = le.AppendUint32(b, uint32(rate))
	b = le.AppendUint32(b, uint32(rate*channels*width))
	b = le.AppendUint16(b, uint16(channels*width))
	b = le.AppendUint16(b, uint16(8*width))
	b = append(b, "data"...)
	return le.AppendUint32(b, size)
}
