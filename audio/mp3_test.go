package audio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// lameDelay is what the encoder of the files in testdata put before the sound, less decoderDelay.
const lameDelay = 576

func testMP3(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".mp3")
	require.NoError(t, err)
	return b
}

// samplesOf decodes without mixing or resampling: interleaved.
func samplesOf(t testing.TB, b []byte, opt Options) (x []float32, src source) {
	t.Helper()
	src, err := open(bytes.NewReader(b), int64(len(b)), opt)
	require.NoError(t, err)
	info, _ := src.layout()
	block := make([]float32, 1000*info.Channels)
	for {
		n, err := src.read(block)
		if err != nil {
			require.ErrorContains(t, err, "EOF")
			return x, src
		}
		x = append(x, block[:n*info.Channels]...)
	}
}

// requireTone checks that channel c of x is the tone of testdata with an amplitude, from sample
// delay on.
func requireTone(t *testing.T, x []float32, channels, c, rate, delay int, amplitude float64) {
	t.Helper()
	wrong := func(lag int) (sum float64) {
		for i := rate / 20; i < rate/5; i++ {
			want := amplitude * math.Sin(2*math.Pi*440*float64(i)/float64(rate))
			d := float64(x[(i+delay+lag)*channels+c]) - want
			sum += d * d / float64(rate/5-rate/20)
		}
		return sum
	}
	// MP3 loses a little; a delay that is wrong by one sample would lose more.
	require.Less(t, math.Sqrt(wrong(0)), 0.05*amplitude)
	require.Less(t, 2*wrong(0), min(wrong(-1), wrong(1)))
}

func TestMP3Tones(t *testing.T) {
	x, src := samplesOf(t, testMP3(t, "tone_44100_stereo"), Options{})
	requireTone(t, x, 2, 0, 44100, lameDelay+decoderDelay, 0.5)
	requireTone(t, x, 2, 1, 44100, lameDelay+decoderDelay, 0.25)
	info, frames := src.layout()
	assert.Equal(t, Info{Format: "mp3", SourceRate: 44100, Channels: 2}, info)
	assert.Equal(t, int64(len(x)/2), frames)

	x, src = samplesOf(t, testMP3(t, "tone_22050_mono"), Options{})
	requireTone(t, x, 1, 0, 22050, lameDelay+decoderDelay, 0.5)
	info, _ = src.layout()
	assert.Equal(t, Info{Format: "mp3", SourceRate: 22050, Channels: 1}, info)
}

// xing makes the silent frame with a tag that encoders put first, of the size of the first frame of
// mp3.
func xing(mp3 []byte, kind string, frames, delay, padding int) []byte {
	f, _ := parseMP3Frame(mp3)
	b := make([]byte, f.size())
	copy(b, mp3[:4])
	_, at := f.sideInfo()
	tag := append([]byte(kind), 0, 0, 0, 1)
	tag = binary.BigEndian.AppendUint32(tag, uint32(frames))
	tag = append(tag, "LAME3.100"...)
	tag = append(tag, make([]byte, 12)...)
	both := delay<<12 | padding
	copy(b[at:], append(tag, byte(both>>16), byte(both>>8), byte(both)))
	return b
}

// With the LAME tag, the sound starts at sample 0 and has its true length.
func TestMP3Gapless(t *testing.T) {
	body := testMP3(t, "tone_44100_stereo")
	const frames, true_ = 11, 44100 / 4
	padding := frames*1152 - lameDelay - true_
	for _, kind := range []string{"Xing", "Info"} {
		x, src := samplesOf(t, append(xing(body, kind, frames, lameDelay, padding), body...), Options{})
		require.Len(t, x, 2*true_)
		requireTone(t, x, 2, 0, 44100, 0, 0.5)
		assert.Empty(t, src.notes())
	}
}

// Tags and junk around an MP3 do not change it; a variable bit rate without a Xing tag neither.
func TestMP3Wrapping(t *testing.T) {
	body := testMP3(t, "tone_44100_stereo")
	want, _ := samplesOf(t, body, Options{})
	id3 := append([]byte("ID3\x04\x00\x00\x00\x00\x01\x02"), make([]byte, 130)...)
	id3v1 := append([]byte("TAG"), make([]byte, 125)...)
	ape := append([]byte("APETAGEX\xd0\x07\x00\x00"), make([]byte, 20)...)
	binary.LittleEndian.PutUint32(ape[12:], 32+5)
	ape = append([]byte("items"), ape...)
	for _, c := range []struct {
		name string
		file []byte
		note string
	}{
		{"ID3", append(bytes.Clone(id3), body...), ""},
		{"two ID3", append(append(bytes.Clone(id3), id3...), body...), ""},
		{"zeros after ID3", append(append(bytes.Clone(id3), make([]byte, 300)...), body...), "300 bytes before"},
		{"ID3v1", append(bytes.Clone(body), id3v1...), ""},
		{"APE and ID3v1", append(append(bytes.Clone(body), ape...), id3v1...), ""},
		{"junk behind", append(bytes.Clone(body), "some junk"...), "9 bytes after"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, src := samplesOf(t, c.file, Options{})
			require.Equal(t, want, got)
			assert.Contains(t, strings.Join(src.notes(), "\n"), c.note)
		})
	}
}

// I10: damage to an MP3, and kinds that the decoder does not decode, or not rightly.
func TestMP3Damage(t *testing.T) {
	body := testMP3(t, "tone_44100_stereo")
	first, _ := parseMP3Frame(body)
	third := first.size()
	for range 2 {
		f, _ := parseMP3Frame(body[third:])
		third += f.size()
	}
	damaged := func(f func(b []byte)) []byte {
		b := bytes.Clone(body)
		f(b)
		return b
	}
	silence := silentMP3(20, true)
	kind := func(b1, b2 byte) []byte {
		b := bytes.Clone(silence)
		for at := 0; at < len(b); at += 96 {
			b[at+1], b[at+2] = b1, b2
		}
		return b
	}
	for _, c := range []struct {
		name string
		file []byte
		err  string
	}{
		{"ID3 bomb", []byte("ID3\x04\x00\x00\x7f\x7f\x7f\x7fabc"), "ID3 tag claims"},
		{"ID3 malformed", []byte("ID3\x04\x00\x00\xff\x7f\x7f\x7fabc"), "malformed"},
		{"ID3 alone", []byte("ID3\x04\x00\x00\x00\x00\x00\x00"), "no MP3 frames"},
		{"ID3 and text", []byte("ID3\x04\x00\x00\x00\x00\x00\x00 this is no music"), "no MP3 frames"},
		{"cut inside a frame", body[:len(body)-10], "truncated: it ends inside the MP3 frame"},
		{"cut after a frame", append(xing(body, "Xing", 13, 0, 0), body...), "truncated: 11 of 13"},
		{"damaged frame header", damaged(func(b []byte) { b[first.size()] = 0 }), "no MP3 frame follows the first"},
		{"damaged later", damaged(func(b []byte) { b[third] = 0 }),
			fmt.Sprintf("no MP3 frame at byte %d (0.1 s)", third)},
		{"another rate", append(bytes.Clone(body), silence...), "from 44100 to 48000 Hz"},
		{"layer 2", kind(0xfd, 0x14), "layer 2"},
		{"MPEG 2.5", kind(0xe3, 0x40), "MPEG 2.5"},
		{"free format", kind(0xfb, 0x04), "free format"},
		{"padded MPEG-2", testMP3(t, "tone_22050_padded"), "misreads"},
		{"APE bomb", append(bytes.Clone(body), append([]byte("APETAGEX\xd0\x07\x00\x00\xff\xff\xff\xff"),
			make([]byte, 16)...)...), "APE tag claims"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var err error
			bytes := allocated(func() { _, err = decode(t, c.file, Options{}) })
			faulttest.Require(t, fault.BadData, err, c.err)
			assert.LessOrEqual(t, bytes, int64(64*len(c.file)+1<<20))
		})
	}
	x, src := samplesOf(t, body[:len(body)-10], Options{AllowTruncated: true})
	require.Len(t, x, 2*10*1152)
	assert.Contains(t, src.notes()[0], "truncated")
}

// An excerpt starts with frames whose sound began before it: they are silent, not noise.
func TestMP3Excerpt(t *testing.T) {
	body := testMP3(t, "tone_44100_stereo")
	whole, _ := samplesOf(t, body, Options{})
	const dropped = 4
	at := 0
	for range dropped {
		f, _ := parseMP3Frame(body[at:])
		at += f.size()
	}
	x, src := samplesOf(t, body[at:], Options{})
	require.Contains(t, strings.Join(src.notes(), "\n"), "silent")
	require.Len(t, x, len(whole)-dropped*1152*2)
	for _, v := range x {
		require.Less(t, v, float32(0.6), "noise")
	}
	tail := 2 * 2000
	assert.InDeltaSlice(t, whole[len(whole)-tail:], x[len(x)-tail:], 1e-4)
}

func TestMP3Silence(t *testing.T) {
	for _, stereo := range []bool{false, true} {
		clip, err := decode(t, silentMP3(10, stereo), Options{})
		require.NoError(t, err)
		assert.Len(t, clip.Samples, 10*1152/3)
		assert.Contains(t, clip.Info.Notes, "silence: every sample is 0")
	}
}
