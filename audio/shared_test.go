package audio

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// shared gives the path of a file of the common test data.
func shared(t testing.TB, path ...string) string {
	t.Helper()
	root := os.Getenv("BWLM_SHARED")
	if root == "" {
		t.Skip("BWLM_SHARED does not name the folder of shared test data")
	}
	return filepath.Join(append([]string{root, "data"}, path...)...)
}

func rms(x []float32) float64 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return math.Sqrt(sum / float64(len(x)))
}

// Real recordings against libsndfile, and soxr where the rate is not 16 kHz
// (testdata/real_recordings.py): the length, the level, and the place and value of the highest
// peak. Another resampler ends its pass band elsewhere, hence the tolerance there.
func TestRealRecordings(t *testing.T) {
	if raced {
		t.Skip("14 minutes of audio on one goroutine: a minute's wait under the race detector, and no race to find")
	}
	for _, c := range []struct {
		path   string
		info   Info
		frames int64 // at the source's rate
		rms    float64
		peakAt int
		peak   float64
		tol    float64
	}{
		{"speech/librispeech/1089/1089-134686-0000.flac", Info{Format: "flac", SourceRate: 16000, Channels: 1,
			Bits: 16}, 166960, 0.046647852, 12268, 0.653411865, 1e-6},
		{"speech/austen/sense_and_sensibility_01_austen_64kb-0870.wav",
			Info{Format: "wav", SourceRate: 16000, Channels: 1, Bits: 16}, 113600, 0.060182278, 23350, 0.422363281,
			1e-6},
		{"alice/stories/alice_revoiced.flac", Info{Format: "flac", SourceRate: 16000, Channels: 1, Bits: 16}, 11584000,
			0.093744953, 7294971, 0.899993896, 1e-6},
		{"speech/jfk/jfk.flac", Info{Format: "flac", SourceRate: 44100, Channels: 2, Bits: 24}, 485100, 0.142099646,
			11906, 0.782703923, 2e-4},
		{"speech/sonnets/p001.mp3", Info{Format: "mp3", SourceRate: 44100, Channels: 2}, 2349056, 0.072367671, 501675,
			0.970069183, 2e-4},
	} {
		t.Run(filepath.Base(c.path), func(t *testing.T) {
			clip, err := Load(t.Context(), shared(t, c.path), Options{})
			require.NoError(t, err)
			assert.Len(t, clip.Samples, int(resampledLen(c.frames, c.info.SourceRate, Rate)))
			assert.InEpsilon(t, c.rms, rms(clip.Samples), c.tol)
			assert.InDelta(t, c.peak, float64(clip.Samples[c.peakAt]), 10*c.tol)
			c.info.Notes = clip.Info.Notes
			assert.Equal(t, c.info, clip.Info)
		})
	}
}
