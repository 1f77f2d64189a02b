package audio

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// A wavCase is a WAV file and what must become of it.
type wavCase struct {
	name string
	file []byte
	opt  Options
	err  string    // words of the error; none if the file is good
	want []float32 // within 1.01 steps of tol
	tol  float64
	note string // words of a note
}

// run checks the cases, and for each that it neither takes long nor asks for more memory than the
// file justifies.
func run(t *testing.T, cases []wavCase) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var clip *Clip
			var err error
			start := time.Now()
			bytes := allocated(func() { clip, err = decode(t, c.file, c.opt) })
			assert.Less(t, time.Since(start), time.Second)
			assert.LessOrEqual(t, bytes, int64(4*len(c.file)+1<<20))
			if c.err != "" {
				faulttest.Require(t, fault.BadData, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, Rate, clip.Rate)
			require.Len(t, clip.Samples, len(c.want))
			require.InDeltaSlice(t, c.want, clip.Samples, 1.01*c.tol)
			if c.note == "" {
				assert.Empty(t, clip.Info.Notes)
			} else {
				assert.Contains(t, strings.Join(clip.Info.Notes, "\n"), c.note)
			}
		})
	}
}

// half a step of 16 bits
const tol16 = 1.0 / (1 << 16)

// I1: what is not a WAV file, or only the start of one.
func TestWAVPrefixes(t *testing.T) {
	x := speech(500)
	good := wav16(x)
	for n := 1; n <= 44; n++ {
		_, err := decode(t, good[:n], Options{})
		faulttest.Require(t, fault.BadData, err, "")
		_, err = decode(t, good[:n], Options{AllowTruncated: true})
		faulttest.Require(t, fault.BadData, err, "")
	}
	rf64 := func(id string, size uint64) []byte {
		ds64 := le.AppendUint64(nil, math.MaxUint64)
		ds64 = le.AppendUint64(ds64, size)
		ds64 = append(ds64, make([]byte, 12)...)
		b := riff(chunk("ds64", ds64), fmtChunk(1, 1, Rate, 16), claim(unknownSize, chunk("data", ints(2, x))))
		copy(b, id)
		return claim(unknownSize, b)
	}
	run(t, []wavCase{
		{name: "good", file: good, want: x, tol: tol16},
		{name: "empty", file: nil, err: "empty"},
		{name: "text", file: []byte("To be, or not to be"), err: `starts with "To be, or no"`},
		{name: "RIFX", file: append([]byte("RIFX"), good[4:]...), err: "big-endian"},
		{name: "AVI", file: append(append(bytes.Clone(good[:8]), "AVI "...), good[12:]...), err: "not WAV"},
		{name: "Wave64", file: append([]byte("riff\x2e\x91\xcf\x11"), good[8:]...), err: "Wave64"},
		{name: "RF64", file: rf64("RF64", 1000), want: x, tol: tol16},
		{name: "BW64", file: rf64("BW64", 1000), want: x, tol: tol16},
		{name: "RF64 beyond the file", file: rf64("RF64", 1<<40), err: "truncated"},
		{name: "RF64 beyond 63 bits", file: rf64("RF64", 1<<63), err: "ds64"},
		{name: "RF64 short ds64", file: append([]byte("RF64"), riff(chunk("ds64", make([]byte, 8)))[4:]...),
			err: "ds64"},
	})
}

// I2: chunk sizes, orders and repetitions.
func TestWAVChunks(t *testing.T) {
	x := speech(500)
	format, data := fmtChunk(1, 1, Rate, 16), chunk("data", ints(2, x))
	cases := []wavCase{
		{name: "data before fmt", file: riff(data, format), err: "before its fmt"},
		{name: "two data", file: riff(format, data, data), err: "two data"},
		{name: "two fmt", file: riff(format, format, data), err: "two fmt"},
		{name: "no data", file: riff(format), err: "before a data chunk"},
		{name: "no fmt", file: riff(chunk("LIST", []byte("INFO"))), err: "before a fmt chunk"},
		{name: "fact 0", file: riff(format, chunk("fact", make([]byte, 4)), data), want: x, tol: tol16},
		{name: "odd chunk", file: riff(format, chunk("junk", []byte{1, 2, 3}), data), want: x, tol: tol16},
		{name: "odd data", file: riff(format, chunk("data", append(ints(2, x), 7)), chunk("LIST", []byte("INFO"))),
			want: x, tol: tol16, note: "last 1 bytes"},
		{name: "junk after data", file: append(wav16(x), "garbage that is no chunk"...), want: x, tol: tol16},
		{name: "zeros after data", file: append(wav16(x), make([]byte, 1<<16)...), want: x, tol: tol16},
		{name: "zeros and a chunk after data", file: append(append(wav16(x), make([]byte, 64)...), data...), want: x,
			tol: tol16},
		{name: "many chunks", file: riff(bytes.Repeat(chunk("junk", nil), 5000)), err: "more than 4096 chunks"},
		{name: "short fmt", file: riff(chunk("fmt ", format[8:22]), data), err: "14 bytes"},
		{name: "long fmt", file: riff(chunk("fmt ", append(format[8:], make([]byte, 100)...)), data), want: x,
			tol: tol16},
		{name: "data short", file: riff(format, claim(2000, data)), err: "truncated: 1000 of 2000"},
	}
	for _, id := range []string{"fmt ", "LIST", "cue ", "smpl", "abcd"} {
		for _, size := range []uint32{0, 1, 0x7fffffff, 0xfffffffe, 0xffffffff} {
			body := make([]byte, 60)
			copy(body, "INFO")
			if id == "fmt " {
				body = format[8:]
			}
			c := wavCase{name: fmt.Sprintf("%s %#x", id, size), err: "claims"}
			switch {
			case size == 0 && id != "fmt ":
				c.file, c.err = riff(claim(0, chunk(id, nil)), format, data), ""
			case size == 1 && id != "fmt ":
				c.file, c.err = riff(chunk(id, []byte{0}), format, data), ""
			case id == "fmt " && size < 2:
				c.file, c.err = riff(claim(size, chunk(id, body)), format, data), "want at least 16"
			default:
				c.file = riff(claim(size, chunk(id, body)), format, data)
			}
			if c.err == "" {
				c.want, c.tol = x, tol16
			}
			cases = append(cases, c)
		}
	}
	run(t, cases)
}

// I3: channels, rates, bits and sizes of frames.
func TestWAVFormats(t *testing.T) {
	x := speech(500)
	with := func(format []byte, data []byte) []byte { return riff(format, chunk("data", data)) }
	plain := func(channels int, rate uint32, bits int) []byte {
		return with(fmtChunk(1, channels, rate, bits), make([]byte, 4000))
	}
	align := fmtChunk(1, 1, Rate, 16)
	le.PutUint16(align[8+12:], 3)
	// packed is the format of bits in a container of bytes.
	packed := func(bits, bytes int) []byte {
		f := fmtChunk(1, 1, Rate, bits)
		le.PutUint16(f[8+12:], uint16(bytes))
		return f
	}
	twelve := ints(2, x)
	for i := 0; i < len(twelve); i += 2 {
		twelve[i] &= 0xf0
	}
	low := make([]byte, 0, 4*len(x)) // 24 bits in the lower three of four bytes
	for b := ints(3, x); len(b) > 0; b = b[3:] {
		low = append(low, b[0], b[1], b[2], byte(int8(b[2])>>7))
	}
	byteRate := fmtChunk(1, 1, Rate, 16)
	le.PutUint32(byteRate[8+8:], 1)
	three := make([]float32, 0, 1500)
	for _, v := range x {
		three = append(three, v, v/2, -v)
	}
	sixth := make([]float32, len(x))
	for i, v := range x {
		sixth[i] = v / 6
	}
	run(t, []wavCase{
		{name: "8 bits", file: with(fmtChunk(1, 1, Rate, 8), ints(1, x)), want: x, tol: 1.0 / (1 << 8)},
		{name: "16 bits", file: with(fmtChunk(1, 1, Rate, 16), ints(2, x)), want: x, tol: tol16},
		{name: "24 bits", file: with(fmtChunk(1, 1, Rate, 24), ints(3, x)), want: x, tol: 1.0 / (1 << 24)},
		{name: "32 bits", file: with(fmtChunk(1, 1, Rate, 32), ints(4, x)), want: x, tol: 1.0 / (1 << 25)},
		{name: "3 channels", file: with(fmtChunk(1, 3, Rate, 16), ints(2, three)), want: sixth, tol: tol16},
		{name: "0 channels", file: plain(0, Rate, 16), err: "0 channels"},
		{name: "65535 channels", file: plain(65535, Rate, 8), err: "65535 channels"},
		{name: "0 Hz", file: plain(1, 0, 16), err: "0 Hz"},
		{name: "1 Hz", file: plain(1, 1, 16), err: "1 Hz"},
		{name: "most Hz", file: plain(1, math.MaxUint32, 16), err: "4294967295 Hz"},
		{name: "0 bits", file: plain(1, Rate, 0), err: "0-bit"},
		{name: "7 bits", file: plain(1, Rate, 7), err: "7-bit"},
		{name: "12 bits", file: plain(1, Rate, 12), err: "frames have 1 bytes; 1 channels of 12 bits make 2"},
		{name: "20 bits", file: plain(1, Rate, 20), err: "frames have 2 bytes; 1 channels of 20 bits make 3"},
		{name: "12 bits in 2 bytes", file: with(packed(12, 2), twelve), want: x, tol: 1.0 / (1 << 11)},
		{name: "20 bits in 3 bytes", file: with(packed(20, 3), ints(3, x)), want: x, tol: 1.0 / (1 << 24)},
		{name: "24 bits in 4 bytes", file: with(packed(24, 4), wide(x)), want: x, tol: 1.0 / (1 << 24)},
		{name: "24 bits in the lower bytes of 4", file: with(packed(24, 4), low), err: "lower bits of 4 bytes"},
		{name: "16 bits in 4 bytes", file: with(packed(16, 4), wide(x)), err: "frames have 4 bytes"},
		{name: "20 bits in 2 bytes", file: with(packed(20, 2), ints(2, x)), err: "frames have 2 bytes"},
		{name: "64 bits", file: plain(1, Rate, 64), err: "64-bit"},
		{name: "blockAlign", file: with(align, make([]byte, 4000)), err: "frames have 3 bytes"},
		{name: "byteRate", file: with(byteRate, ints(2, x)), want: x, tol: tol16},
	})
}

// The full range of each integer format, whose extremes a wrong sign or zero would show.
func TestWAVExtremes(t *testing.T) {
	for width := 1; width <= 4; width++ {
		x := speech(500)
		x[0], x[1], x[2] = -1, 1, 0
		clip, err := decode(t, riff(fmtChunk(1, 1, Rate, 8*width), chunk("data", ints(width, x))), Options{})
		require.NoError(t, err)
		assert.Equal(t, float32(-1), clip.Samples[0])
		assert.InDelta(t, 1-math.Ldexp(1, 1-8*width), float64(clip.Samples[1]), 1e-7)
		assert.Equal(t, float32(0), clip.Samples[2])
		assert.Equal(t, Info{Format: "wav", SourceRate: Rate, Channels: 1, Bits: 8 * width}, clip.Info)
	}
}

// wide encodes samples as 24 bits in the upper three of four bytes.
func wide(x []float32) (b []byte) {
	for three := ints(3, x); len(three) > 0; three = three[3:] {
		b = append(b, 0, three[0], three[1], three[2])
	}
	return b
}

// I4: kinds of samples.
func TestWAVCodecs(t *testing.T) {
	x := speech(500)
	with := func(format []byte, data []byte) []byte { return riff(format, chunk("data", data)) }
	cases := []wavCase{
		{name: "float32", file: with(fmtChunk(3, 1, Rate, 32), floats32(x)), want: x},
		{name: "float64", file: with(fmtChunk(3, 1, Rate, 64), floats64(x)), want: x},
		{name: "float16", file: with(fmtChunk(3, 1, Rate, 16), make([]byte, 2000)), err: "16-bit"},
		{name: "extensible PCM", file: with(extensible(1, 1, Rate, 24, 24, guidTail), ints(3, x)), want: x,
			tol: 1.0 / (1 << 24)},
		{name: "extensible 20 in 24", file: with(extensible(1, 1, Rate, 24, 20, guidTail), ints(3, x)), want: x,
			tol: 1.0 / (1 << 24)},
		{name: "extensible 24 in 32", file: with(extensible(1, 1, Rate, 32, 24, guidTail), wide(x)), want: x,
			tol: 1.0 / (1 << 24)},
		{name: "extensible 40 in 24", file: with(extensible(1, 1, Rate, 24, 40, guidTail), ints(3, x)),
			err: "40 meaningful bits"},
		{name: "extensible float", file: with(extensible(3, 1, Rate, 32, 32, guidTail), floats32(x)), want: x},
		{name: "extensible µ-law", file: with(extensible(7, 1, Rate, 8, 8, guidTail), make([]byte, 900)), err: "µ-law"},
		{name: "extensible unknown", file: with(extensible(1, 1, Rate, 16, 16, "ambisonic B---"), ints(2, x)),
			err: "unknown kind"},
		{name: "extensible short", file: with(fmtChunk(tagExtensible, 1, Rate, 16), ints(2, x)), err: "want 40"},
	}
	for tag, name := range map[int]string{2: "Microsoft ADPCM", 6: "A-law", 7: "µ-law", 0x11: "IMA ADPCM", 0x55: "MP3",
		0x1234: "0x1234"} {
		cases = append(cases, wavCase{name: name, file: with(fmtChunk(tag, 1, Rate, 8), make([]byte, 900)), err: name})
	}
	run(t, cases)
}

// I5: a length that is not so, or not said.
func TestWAVLengths(t *testing.T) {
	x := speech(500)
	format, data := fmtChunk(1, 1, Rate, 16), chunk("data", ints(2, x))
	cut := wav16(x)[:44+2*450+1]
	run(t, []wavCase{
		{name: "truncated", file: cut, err: "truncated: 901 of 1000 bytes"},
		{name: "truncated, allowed", file: cut, opt: Options{AllowTruncated: true}, want: x[:450], tol: tol16,
			note: "truncated"},
		{name: "claims 2 GB", file: riff(format, claim(0x7fff0000, data)), err: "truncated: 1000 of 2147418112"},
		{name: "claims 2 GB, allowed", file: riff(format, claim(0x7fff0000, data)), opt: Options{AllowTruncated: true},
			want: x, tol: tol16, note: "truncated"},
		{name: "streamed, half", file: riff(format, claim(0x80000000, data)), want: x, tol: tol16, note: "streamed"},
		{name: "streamed, half less 1", file: riff(format, claim(0x7fffffff, data)), want: x, tol: tol16,
			note: "streamed"},
		{name: "streamed, less the header", file: riff(format, claim(0xffffffff-36, data)), want: x, tol: tol16,
			note: "streamed"},
		{name: "streamed by SoX", file: claim(0x7ffff024, riff(format, claim(0x7ffff000, data))), want: x, tol: tol16,
			note: "streamed"},
		{name: "streamed, RIFF alone", file: claim(unknownSize, riff(format, data)), want: x, tol: tol16},
		{name: "streamed, with half a sample", file: append(riff(format, claim(0x7fffffff, data)), 7), want: x,
			tol:  tol16,
			note: "last 1 bytes"},
		{name: "streamed, all ones", file: claim(unknownSize, riff(format, claim(unknownSize, data))), want: x,
			tol: tol16, note: "streamed"},
		{name: "streamed, zeros", file: claim(0, riff(format, claim(0, data))), want: x, tol: tol16, note: "streamed"},
		{name: "unfinished, header only counted", file: claim(36, riff(format, claim(0, data))), want: x, tol: tol16,
			note: "streamed"},
		{name: "header older than the samples", file: append(wav16(x), ints(2, speech(3200))...), want: x, tol: tol16,
			note: "6400 bytes after the samples are no chunk, and ignored: if they are samples (0.2 s)"},
		{name: "truly no samples", file: riff(format, chunk("data", nil)), err: "0 samples"},
	})
}

// I6: floats that are not numbers, or too large.
func TestWAVFloatValues(t *testing.T) {
	at := func(i int, v float32) []byte {
		x := speech(1000)
		x[i] = v
		return riff(fmtChunk(3, 2, Rate, 32), chunk("data", floats32(x)))
	}
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, channel := range []int{0, 1} {
		opt := Options{Channel: channel} // the other channel is checked all the same
		_, err := decode(t, at(701, nan), opt)
		faulttest.Require(t, fault.BadData, err, "sample 350 of channel 2 is NaN")
		_, err = decode(t, at(800, -inf), opt)
		faulttest.Require(t, fault.BadData, err, "sample 400 of channel 1 is -Inf")
	}
	clip, err := decode(t, at(900, 1.5), Options{})
	require.NoError(t, err)
	assert.Equal(t, []string{"1 samples exceed full scale, the most at sample 450: 1.5"}, clip.Info.Notes)
}

// A file too long for one decoder is decoded in parts.
func TestWAVPartsJoin(t *testing.T) {
	x := speech(3000)
	file := riff(fmtChunk(1, 3, Rate, 24), chunk("data", ints(3, x)))
	src, err := openWAV(bytes.NewReader(file), int64(len(file)), Options{})
	require.NoError(t, err)
	src.(*wavSource).limit = 9*70 + 5
	var got []float32
	block := make([]float32, 3*50)
	for {
		n, err := src.read(block)
		if err == io.EOF {
			break
		}
		require.NoError(t, err)
		got = append(got, block[:3*n]...)
	}
	require.Len(t, got, len(x))
	assert.InDeltaSlice(t, x, got, 1.0/(1<<23))
}
