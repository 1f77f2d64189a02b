package audio

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/faulttest"
)

func TestWriteWAV(t *testing.T) {
	x := speech(501)
	x[0], x[1] = -1, 1
	for _, c := range []struct {
		enc  Encoding
		bits int
		tol  float64
	}{{PCM16, 16, 1.0 / (1 << 15)}, {Float32, 32, 0}} {
		path := write(t, "x.wav", []byte("what was there before"))
		require.NoError(t, WriteWAV(path, x, Rate, c.enc))
		clip, err := Load(t.Context(), path, Options{})
		require.NoError(t, err)
		assert.InDeltaSlice(t, x, clip.Samples, c.tol)
		assert.Equal(t, c.bits, clip.Info.Bits)
		// 16-bit audio keeps its bits.
		require.NoError(t, WriteWAV(path, clip.Samples, Rate, c.enc))
		again, err := Load(t.Context(), path, Options{})
		require.NoError(t, err)
		assert.Equal(t, clip.Samples, again.Samples)
	}
}

func TestWriteWAVRefuses(t *testing.T) {
	dir := t.TempDir()
	nan := float32(math.NaN())
	for name, c := range map[string]struct {
		x    []float32
		rate int
		enc  Encoding
		kind fault.Kind
		err  string
	}{
		"NaN":        {[]float32{0, nan}, Rate, PCM16, fault.BadData, "sample 1 is NaN"},
		"NaN, float": {[]float32{0, nan}, Rate, Float32, fault.BadData, "sample 1 is NaN"},
		"too large":  {[]float32{0, 0, 1.5}, Rate, PCM16, fault.BadData, "sample 2 is 1.5"},
		"rate":       {[]float32{0}, 1, PCM16, fault.Usage, "1 Hz"},
	} {
		err := WriteWAV(filepath.Join(dir, "x.wav"), c.x, c.rate, c.enc)
		faulttest.Require(t, c.kind, err, c.err)
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		assert.Empty(t, entries, name)
	}
	path := filepath.Join(dir, "x.wav")
	require.NoError(t, WriteWAV(path, []float32{0, 1.5}, Rate, Float32), "a float file holds more than full scale")
	faulttest.Require(t, fault.IO, WriteWAV(filepath.Join(dir, "none", "x.wav"), []float32{0}, Rate, PCM16), "folder")
}
