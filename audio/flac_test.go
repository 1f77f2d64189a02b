package audio

import (
	"bytes"
	"fmt"
	"log"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

func TestFLACFormats(t *testing.T) {
	x := speech(3000)
	y := make([]float32, len(x))
	mean := make([]float32, len(x))
	for i := range x {
		y[i] = x[i] / 4
		mean[i] = (x[i] + y[i]) / 2
	}
	for _, bits := range []int{8, 12, 16, 20, 24} {
		step := 1.01 / float64(int(1)<<(bits-1))
		clip, err := decode(t, flacFile(t, Rate, bits, x), Options{})
		require.NoError(t, err, "%d bits", bits)
		assert.InDeltaSlice(t, x, clip.Samples, step)
		assert.Equal(t, Info{Format: "flac", SourceRate: Rate, Channels: 1, Bits: bits}, clip.Info)

		clip, err = decode(t, flacFile(t, Rate, bits, x, y), Options{})
		require.NoError(t, err, "%d bits", bits)
		assert.InDeltaSlice(t, mean, clip.Samples, step)
	}
}

// The offset in flacFile's header of the 36 bits of the length and, after them, of the MD5 sum.
const flacLength, flacSum = 4 + 4 + 13, 4 + 4 + 18

// Depths that the decoder does not read are refused, and what to do is said. Frames that
// leave the depth to the stream's header are among them: the error would be a wrong checksum.
func TestFLACDepthsThatAreNotRead(t *testing.T) {
	good := flacFile(t, Rate, 16, speech(1024)) // one frame
	for _, bits := range []int{4, 7, 15, 17, 23, 25, 32} {
		b := bytes.Clone(good)
		b[20] = b[20]&0xfe | byte((bits-1)>>4)
		b[21] = b[21]&0x0f | byte((bits-1)<<4)
		_, err := decode(t, b, Options{})
		faulttest.Require(t, fault.BadData, err, fmt.Sprintf("its samples have %d bits", bits),
			"convert it to FLAC of 24 bits")
	}
	b := bytes.Clone(good)
	b[42+3] &^= 0x0e // the frame's depth
	_, err := decode(t, b, Options{})
	faulttest.Require(t, fault.BadData, err, "do not state their bits per sample")
}

// I10: damage to a FLAC file.
func TestFLACDamage(t *testing.T) {
	good := flacFile(t, Rate, 16, speech(3000))
	damaged := func(f func(b []byte)) []byte {
		b := bytes.Clone(good)
		f(b)
		return b
	}
	unknown := func(b []byte) { // no length, no sum
		b[flacLength] &= 0xf0
		clear(b[flacLength+1 : flacSum+16])
	}
	for _, c := range []struct {
		name string
		file []byte
		err  string
	}{
		{"magic only", good[:4], "inside its FLAC header"},
		{"half a header", good[:30], "claims 34 bytes"},
		{"header only", good[:42], "truncated: 0 of 3000"},
		{"cut inside a frame", good[:len(good)-10], "truncated: 2048 of 3000"},
		{"cut after a frame", damaged(func(b []byte) { b[flacLength+4]++ }), "truncated: 3000 of 3001"},
		{"cut, length unknown", damaged(unknown)[:len(good)-10],
			"truncated: it ends inside the frame after sample 2048"},
		{"more than it says", damaged(func(b []byte) { b[flacLength+4]-- }), "more than the 2999 samples"},
		{"sum", damaged(func(b []byte) { b[flacSum]++ }), "MD5"},
		{"sample", damaged(func(b []byte) { b[len(good)-50]++ }), "CRC-16"},
		{"frame header", damaged(func(b []byte) { b[42+3] ^= 0x10 }), ""},
		{"sync", damaged(func(b []byte) { b[42] = 0 }), "frame at sample 0"},
		{"rate 0", damaged(func(b []byte) { b[18], b[19] = 0, 0; b[20] &= 0x0f }), "sample rate (0)"},
		{"rate 1", damaged(func(b []byte) { b[18], b[19] = 0, 0; b[20] = b[20]&0x0f | 0x10 }), "1 Hz"},
		{"rate in header", damaged(func(b []byte) { b[18], b[19] = 0x0a, 0xc4 }), "the header says"},
		{"channels in header", damaged(func(b []byte) { b[20] |= 0x02 }), "1 channels, the header says 2"},
		{"first block is padding", damaged(func(b []byte) { b[4] = 1 }), "type 1"},
		{"block beyond the file", damaged(func(b []byte) { b[4] = 0; b[42] = 4; b[43] = 0xff }), "metadata block"},
		{"days of audio", damaged(func(b []byte) { b[flacLength] |= 0x0f }), "more than the limit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := decode(t, c.file, Options{})
			faulttest.Require(t, fault.BadData, err, c.err)
		})
	}
}

func TestFLACAccepts(t *testing.T) {
	x := speech(3000)
	good := flacFile(t, Rate, 16, x)
	unknown := bytes.Clone(good)
	unknown[flacLength] &= 0xf0
	clear(unknown[flacLength+1 : flacSum+16])
	id3 := append([]byte("ID3\x04\x00\x00\x00\x00\x01\x02"), make([]byte, 130)...)
	for _, c := range []struct {
		name string
		file []byte
		opt  Options
		n    int
		note string
	}{
		{"length unknown", unknown, Options{}, 3000, "gives no length"},
		{"truncated, allowed", good[:len(good)-10], Options{AllowTruncated: true}, 2048, "truncated: 2048 of 3000"},
		{"tag before", append(id3, good...), Options{}, 3000, ""},
		{"tag behind", append(bytes.Clone(good), "TAG and more"...), Options{}, 3000, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			clip, err := decode(t, c.file, c.opt)
			require.NoError(t, err)
			require.Len(t, clip.Samples, c.n)
			assert.InDeltaSlice(t, x[:c.n], clip.Samples, 2*tol16)
			assert.Contains(t, strings.Join(clip.Info.Notes, "\n"), c.note)
		})
	}
}

// The decoder's chatter at 24 kHz is kept out of the log, and nothing else is.
func TestFLACIsQuiet(t *testing.T) {
	var out bytes.Buffer
	before := log.Writer()
	log.SetOutput(&out)
	t.Cleanup(func() { log.SetOutput(before) })
	clip, err := decode(t, flacFile(t, 24000, 16, speech(3000)), Options{})
	require.NoError(t, err)
	assert.Len(t, clip.Samples, 2000)
	assert.Empty(t, out.String())
	log.Print("kept")
	assert.Contains(t, out.String(), "kept")
}
