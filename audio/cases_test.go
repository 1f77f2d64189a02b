package audio

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

// Files of other programs that were refused or read wrongly: lengths at the source's rate and levels
// by mpg123 1.31.2 and libsndfile 1.2.2.
func TestFilesOfOtherPrograms(t *testing.T) {
	root := os.Getenv("BWLM_SHARED")
	if root == "" {
		t.Skip("BWLM_SHARED does not name the folder of shared test data")
	}
	for _, c := range []struct {
		path   string
		frames int64
		rms    float64
		note   string
		err    string
	}{
		{"mp3_excerpt_silent/excerpt.mp3", 263808, 0.061328, "3 of 229 MP3 frames", ""},
		{"mp3_crc_late/v2_44_2.mp3", 138341, 0, "", ""},
		{"mp3_crc_late/v2_44_2_crc.mp3", 138341, 0, "", ""},
		{"mp3_tag_counts_itself/cut.mp3", 87599, 0, "", ""},
		{"mp3_tag_counts_itself/cutx.mp3", 139439, 0, "", ""},
		{"wav_odd_bits/bits20_in24.wav", 16000, 0, "", ""},
		{"wav_odd_bits/bits24_align4.wav", 16000, 0, "", ""},
		{"wav_streamed/espeak.wav", 28720, 0, "streamed", ""},
		{"wav_streamed/stream_7fffffff.wav", 16000, 0, "streamed", ""},
		{"wav_streamed/stream_sox7ffff000.wav", 16000, 0, "streamed", ""},
		{"wav_zero_tail/trailing_zeros_64k.wav", 16000, 0, "", ""},
		{"flac_32bit_15bit/b32m.flac", 0, 0, "", "its samples have 32 bits"},
	} {
		t.Run(filepath.Base(c.path), func(t *testing.T) {
			clip, err := Load(t.Context(), filepath.Join(root, "cases", c.path), Options{})
			if c.err != "" {
				faulttest.Require(t, fault.BadData, err, c.err)
				return
			}
			require.NoError(t, err)
			assert.Len(t, clip.Samples, int(resampledLen(c.frames, clip.Info.SourceRate, Rate)))
			if c.rms > 0 {
				assert.InEpsilon(t, c.rms, rms(clip.Samples), 0.01) // frequencies above 7.2 kHz are gone
			}
			notes := strings.Join(clip.Info.Notes, "\n")
			assert.NotContains(t, notes, "silence:")
			if c.note != "" {
				assert.Contains(t, notes, c.note)
			}
		})
	}
	voice, err := Load(t.Context(), filepath.Join(root, "cases/wav_odd_bits/bits20_in24.wav"), Options{})
	require.NoError(t, err)
	assert.InDelta(t, 0.05025768, float64(voice.Samples[1]), 1e-6)
}
