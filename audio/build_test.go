package audio

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/mewkiz/flac"
	"github.com/mewkiz/flac/frame"
	"github.com/mewkiz/flac/meta"
	"github.com/stretchr/testify/require"
)

var le = binary.LittleEndian

// chunk is a RIFF chunk with its padding.
func chunk(id string, body []byte) []byte {
	b := le.AppendUint32([]byte(id), uint32(len(body)))
	b = append(b, body...)
	if len(body)%2 == 1 {
		b = append(b, 0)
	}
	return b
}

// claim sets the size that a chunk says it has.
func claim(size uint32, chunk []byte) []byte {
	b := bytes.Clone(chunk)
	le.PutUint32(b[4:], size)
	return b
}

// riff is a WAV file of chunks.
func riff(chunks ...[]byte) []byte {
	return chunk("RIFF", append([]byte("WAVE"), bytes.Join(chunks, nil)...))
}

// fmtBody is the body of a plain fmt chunk.
func fmtBody(tag, channels int, rate uint32, bits int) []byte {
	b := le.AppendUint16(nil, uint16(tag))
	b = le.AppendUint16(b, uint16(channels))
	b = le.AppendUint32(b, rate)
	b = le.AppendUint32(b, rate*uint32(channels*bits/8))
	b = le.AppendUint16(b, uint16(channels*bits/8))
	return le.AppendUint16(b, uint16(bits))
}

func fmtChunk(tag, channels int, rate uint32, bits int) []byte {
	return chunk("fmt ", fmtBody(tag, channels, rate, bits))
}

// extensible is a fmt chunk with a subformat.
func extensible(tag, channels int, rate uint32, bits, valid int, tail string) []byte {
	b := fmtBody(tagExtensible, channels, rate, bits)
	b = le.AppendUint16(b, 22)
	b = le.AppendUint16(b, uint16(valid))
	b = le.AppendUint32(b, 0)
	b = le.AppendUint16(b, uint16(tag))
	return chunk("fmt ", append(b, tail...))
}

// ints encodes samples as little-endian integers of a width; 8 bits are unsigned.
func ints(width int, x []float32) []byte {
	var b []byte
	for _, v := range x {
		i := int64(math.Round(float64(v) * math.Ldexp(1, 8*width-1)))
		i = min(i, 1<<(8*width-1)-1)
		if width == 1 {
			i += 128
		}
		for range width {
			b = append(b, byte(i))
			i >>= 8
		}
	}
	return b
}

func floats32(x []float32) []byte {
	var b []byte
	for _, v := range x {
		b = le.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

func floats64(x []float32) []byte {
	var b []byte
	for _, v := range x {
		b = le.AppendUint64(b, math.Float64bits(float64(v)))
	}
	return b
}

// speech is a tone of half full scale at 16 kHz, long enough to be accepted.
func speech(n int) []float32 {
	x := tone(n, 300, Rate)
	for i := range x {
		x[i] /= 2
	}
	return x
}

// wav16 is a plain 16-bit mono WAV file at 16 kHz.
func wav16(x []float32) []byte { return riff(fmtChunk(1, 1, Rate, 16), chunk("data", ints(2, x))) }

// a seekable buffer, since the FLAC encoder comes back to fill in its header.
type memFile struct {
	b   []byte
	off int
}

func (m *memFile) Write(p []byte) (int, error) {
	m.b = append(m.b, make([]byte, max(0, m.off+len(p)-len(m.b)))...)
	m.off += copy(m.b[m.off:], p)
	return len(p), nil
}

func (m *memFile) Seek(off int64, whence int) (int64, error) {
	m.off = int(off)
	return off, nil
}

// flacFile encodes channels, each of the same length, in frames of 1024 samples.
func flacFile(t testing.TB, rate uint32, bits int, channels ...[]float32) []byte {
	t.Helper()
	kinds := map[int]frame.Channels{1: frame.ChannelsMono, 2: frame.ChannelsLR, 3: frame.ChannelsLRC}
	m := &memFile{}
	enc, err := flac.NewEncoder(m, &meta.StreamInfo{
		BlockSizeMin: 16, BlockSizeMax: 1024, SampleRate: rate, NChannels: uint8(len(channels)),
		BitsPerSample: uint8(bits),
	})
	require.NoError(t, err)
	for at := 0; at < len(channels[0]); at += 1024 {
		n := min(1024, len(channels[0])-at)
		f := &frame.Frame{Header: frame.Header{
			BlockSize: uint16(n), SampleRate: rate, Channels: kinds[len(channels)], BitsPerSample: uint8(bits),
		}}
		for _, x := range channels {
			sub := &frame.Subframe{SubHeader: frame.SubHeader{Pred: frame.PredVerbatim}, NSamples: n}
			for _, v := range x[at : at+n] {
				sub.Samples = append(sub.Samples, int32(math.Round(float64(v)*math.Ldexp(1, bits-1))))
			}
			f.Subframes = append(f.Subframes, sub)
		}
		require.NoError(t, enc.WriteFrame(f))
	}
	require.NoError(t, enc.Close())
	return m.b
}

// silentMP3 is n frames of MPEG-1 Layer III silence, 32 kbit/s at 48 kHz: 96 bytes and 24 ms each.
func silentMP3(n int, stereo bool) []byte {
	head := []byte{0xff, 0xfb, 0x14, 0xc0}
	if stereo {
		head[3] = 0
	}
	return bytes.Repeat(append(head, make([]byte, 92)...), n)
}

// decode decodes bytes.
func decode(t testing.TB, b []byte, opt Options) (*Clip, error) {
	t.Helper()
	return Decode(t.Context(), "clip", bytes.NewReader(b), int64(len(b)), opt)
}

// write makes a file in a folder of the test.
func write(t testing.TB, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, b, 0o666))
	return path
}

// allocated is how many bytes f asks for, those given back included.
func allocated(f func()) int64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc - before.TotalAlloc)
}

// drain reads a stream to its end.
func drain(r *reader) (n int64, err error) {
	buf := make([]float32, 4096)
	for {
		k, err := r.read(buf)
		n += int64(k)
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

var background = context.Background()
