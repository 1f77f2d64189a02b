package audio

import (
	"bytes"
	"testing"
)

// BenchmarkDecode reports seconds of audio per second, decoding, mixing and resampling included.
func BenchmarkDecode(b *testing.B) {
	second := func(rate int) []float32 { return tone(rate, 300, float64(rate)) }
	long := func(rate int) (x []float32) {
		for range 10 {
			x = append(x, second(rate)...)
		}
		for i := range x {
			x[i] *= 0.5 + 0.4*float32(i%1733)/1733 // so that FLAC has something to do
		}
		return x
	}
	x16, x44 := long(Rate), long(44100)
	for _, c := range []struct {
		name string
		file []byte
	}{
		{"wav16_16k_mono", wav16(x16)},
		{"wav16_44k_stereo", riff(fmtChunk(1, 2, 44100, 16),
			chunk("data", ints(2, append(x44[:len(x44):len(x44)], x44...))))},
		{"float32_16k_mono", riff(fmtChunk(3, 1, Rate, 32), chunk("data", floats32(x16)))},
		{"flac16_16k_mono", flacFile(b, Rate, 16, x16)},
		{"flac16_44k_stereo", flacFile(b, 44100, 16, x44, x44)},
		{"mp3_44k_stereo_64k", bytes.Repeat(testMP3(b, "tone_44100_stereo"), 40)},
	} {
		b.Run(c.name, func(b *testing.B) {
			seconds := 0.0
			for b.Loop() {
				clip, err := decode(b, c.file, Options{})
				if err != nil {
					b.Fatal(err)
				}
				seconds += clip.Seconds()
			}
			b.ReportMetric(seconds/b.Elapsed().Seconds(), "audio-s/s")
		})
	}
}
