package audio

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// offsets are those of the frames of an MP3 without tags, and its length.
func offsets(mp3 []byte) []int {
	at := []int{0}
	for {
		last := at[len(at)-1]
		f, ok := parseMP3Frame(mp3[last:])
		if !ok {
			return at
		}
		at = append(at, last+f.size())
	}
}

// largest is the largest difference of two slices.
func largest(a, b []float32) (d float32) {
	for i := range a {
		d = max(d, a[i]-b[i], b[i]-a[i])
	}
	return d
}

// An excerpt that begins at any frame sounds as the same frames of the whole file do, but for the
// frames whose data were cut off, which are silent, and the half frame after them.
func TestAnExcerptOfAnMP3SoundsLikeTheWhole(t *testing.T) {
	mp3 := testMP3(t, "speech_64k_mono")
	whole, _ := samplesOf(t, mp3, Options{})
	at := offsets(mp3)
	frames := len(at) - 1
	needy := 0
	for cut := 1; cut < frames-16; cut++ {
		x, src := samplesOf(t, mp3[at[cut]:], Options{})
		require.Len(t, x, (frames-cut)*1152)
		silent := src.(*mp3Source).scan.silent
		require.Zero(t, silent.later, "cut %d", cut)
		require.LessOrEqual(t, silent.first, int64(3), "cut %d", cut) // 511 bytes are in three frames of 209
		if silent.first > 0 {
			needy++
			require.Contains(t, strings.Join(src.notes(), "\n"), "cut off before them: silent")
			require.Zero(t, largest(x[:int(silent.first)*1152-576], make([]float32, len(x))))
		}
		from := (int(silent.first) + 2) * 1152 // the filter bank remembers the frame before
		require.LessOrEqual(t, largest(x[from:], whole[cut*1152+from:]), float32(2.0/(1<<15)), "cut %d", cut)
	}
	require.Greater(t, needy, 10, "the file has no reservoir to lose")
}

// needing is a silent frame of 60 bytes of data that asks for bytes of the frames before it.
func needing(bytes int) []byte {
	b := silentMP3(1, true)
	b[4], b[5] = byte(bytes>>1), byte(bytes<<7)
	return b
}

// More silence than one cut leaves is refused, unless truncated audio is allowed.
func TestMuchOfAnMP3WithoutItsDataIsRefused(t *testing.T) {
	repeated := func(n int, frames ...[]byte) []byte { return bytes.Repeat(bytes.Join(frames, nil), n) }
	for _, c := range []struct {
		name   string
		file   []byte
		silent int64
		err    string
	}{
		{"cut where 480 bytes are missing", repeated(30, needing(480)), 8, ""},
		{"cut where 511 bytes are missing, at 32 kbit/s", repeated(30, needing(511)), 9, "0.22 s in a row"},
		{"every second frame", repeated(30, needing(0), needing(511)), 30, "30 of 60 MP3 frames"},
		{"one frame of 400", append(repeated(1, needing(0), needing(511)), silentMP3(398, true)...), 1, ""},
		{"one frame of 50", append(repeated(1, needing(0), needing(511)), silentMP3(48, true)...), 1,
			"1 of 50 MP3 frames"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := decode(t, c.file, Options{})
			if c.err == "" {
				require.NoError(t, err)
			} else {
				faulttest.Require(t, fault.BadData, err, c.err, "allow truncated audio")
			}
			_, src := samplesOf(t, c.file, Options{AllowTruncated: true})
			scan := src.(*mp3Source).scan
			assert.Equal(t, c.silent, scan.silent.first+scan.silent.later)
			assert.Contains(t, strings.Join(src.notes(), "\n"), "MP3 frames (")
		})
	}
}

// A checksum in each frame, and LAME's tag that does not move for it, change neither the start nor
// the length.
func TestMP3WithChecksums(t *testing.T) {
	x, src := samplesOf(t, testMP3(t, "tone_crc"), Options{})
	require.Len(t, x, 2*44100/4)
	requireTone(t, x, 2, 0, 44100, 0, 0.5)
	requireTone(t, x, 2, 1, 44100, 0, 0.25)
	assert.Empty(t, src.notes())
}

// A tag behind the checksum is found too.
func TestMP3TagBehindAChecksum(t *testing.T) {
	body := testMP3(t, "tone_44100_stereo")
	tag := xing(body, "Xing", 11, lameDelay, 0)
	moved := append(append(bytes.Clone(tag[:4]), 0, 0), tag[4:len(tag)-2]...)
	moved[1] &^= 1
	x, _ := samplesOf(t, append(moved, body...), Options{})
	require.Len(t, x, 2*(11*1152-lameDelay-decoderDelay))
}

// Of a tag that counts its own frame the length of the file says whether a frame is missing.
func TestMP3TagsThatCountTheirOwnFrame(t *testing.T) {
	body := testMP3(t, "tone_44100_stereo")
	vbri := func(frames, bytes int) []byte {
		tag := xing(body, "none", 0, 0, 0)
		clear(tag[4:])
		b := append([]byte("VBRI"), make([]byte, 6)...)
		b = binary.BigEndian.AppendUint32(b, uint32(bytes))
		copy(tag[36:], binary.BigEndian.AppendUint32(b, uint32(frames)))
		return tag
	}
	withBytes := func(frames, bytes int) []byte {
		tag := xing(body, "Info", frames, 0, 0)
		at := 36
		copy(tag[at:], append([]byte("Info"), 0, 0, 0, 3, 0, 0, 0, byte(frames)))
		binary.BigEndian.PutUint32(tag[at+12:], uint32(bytes))
		return tag
	}
	f, _ := parseMP3Frame(body)
	full := f.size() + len(body)
	for _, c := range []struct {
		name   string
		tag    []byte
		frames int // 0 if truncated
	}{
		{"Xing counts 11", xing(body, "Xing", 11, 0, 0), 11},
		{"Xing counts itself", xing(body, "Xing", 12, 0, 0), 11},
		{"Xing counts two more", xing(body, "Xing", 13, 0, 0), 0},
		{"Xing counts itself, bytes are there", withBytes(12, full), 11},
		{"Xing counts one more, bytes are missing", withBytes(12, full+f.size()), 0},
		{"VBRI counts itself", vbri(12, full), 11},
		{"VBRI counts one more, bytes are missing", vbri(12, full+f.size()), 0},
		{"Xing counts fewer", xing(body, "Xing", 5, 0, 0), 11},
	} {
		t.Run(c.name, func(t *testing.T) {
			file := append(bytes.Clone(c.tag), body...)
			if c.frames == 0 {
				_, err := decode(t, file, Options{})
				faulttest.Require(t, fault.BadData, err, "truncated: 11 of")
				return
			}
			x, src := samplesOf(t, file, Options{})
			skip := int(src.(*mp3Source).scan.skip)
			assert.Len(t, x, 2*(c.frames*1152-skip))
		})
	}
	// The padding of a tag that counts itself is that of its count.
	padding := 1152 + 700 + decoderDelay
	x, _ := samplesOf(t, append(xing(body, "Info", 12, lameDelay, padding), body...), Options{})
	require.Len(t, x, 2*(11*1152-lameDelay-decoderDelay-700))
}
