package audio

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
)

// fixedCost is what a decoder may ask for whatever the file: blocks, the resampler's table (2 MB at
// most), and a last FLAC frame that fails (8 channels of 65535 samples, 2 MB, and as much in
// tables).
const fixedCost = 6 << 20

// costPerSample is what the decoders turn over for each sample of each channel that they give, in
// bytes: go-mp3 makes each frame anew.
const costPerSample = 64

// FuzzDecode feeds any bytes to the whole path. Good or bad, they must not take long nor ask for
// more memory than they justify, and an error must be one that a user can act on.
func FuzzDecode(f *testing.F) {
	x := speech(600)
	f.Add(wav16(x), uint8(0))
	f.Add(riff(fmtChunk(1, 2, 44100, 24), chunk("LIST", []byte("INFO")), chunk("data", ints(3, x))), uint8(1))
	f.Add(riff(fmtChunk(3, 1, 8000, 32), chunk("data", floats32(x))), uint8(0))
	f.Add(riff(extensible(3, 1, 22050, 64, 64, guidTail), chunk("data", floats64(x))), uint8(2))
	f.Add(flacFile(f, Rate, 16, x), uint8(0))
	f.Add(flacFile(f, 24000, 8, x, x), uint8(1))
	f.Add(silentMP3(12, true), uint8(0))
	f.Add(testMP3(f, "tone_22050_mono")[:700], uint8(1))
	f.Add(append([]byte("ID3\x04\x00\x00\x00\x00\x00\x02ab"), testMP3(f, "tone_44100_stereo")[:900]...), uint8(1))
	f.Fuzz(func(t *testing.T, b []byte, options uint8) {
		opt := Options{AllowTruncated: options&1 != 0, Channel: int(options >> 1 & 3), MaxSeconds: 5}
		var decoded int64
		var err error
		start := time.Now()
		bytes := allocated(func() {
			var r *reader
			if r, err = newReader("fuzz", bytes.NewReader(b), int64(len(b)), opt); err == nil {
				_, err = drain(r)
				decoded = r.decoded * int64(r.info.Channels)
			}
		})
		if took := time.Since(start); took > 2*time.Second {
			t.Fatalf("%d bytes took %v", len(b), took)
		}
		if limit := 64*int64(len(b)) + 1<<20 + fixedCost + costPerSample*decoded; bytes > limit {
			t.Fatalf("%d bytes of %d samples asked for %d bytes, want at most %d", len(b), decoded, bytes, limit)
		}
		if err == nil {
			return
		}
		var e *fault.Error
		require.True(t, errors.As(err, &e), "%v", err)
		require.Equal(t, fault.BadData, e.Kind, "%v", err)
		require.Equal(t, "fuzz", e.Path)
	})
}
