package audio

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStreamGivesTheSamplesOfLoadInBlocks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tone.wav")
	tone := make([]float32, 100_000)
	for i := range tone {
		tone[i] = float32(.5 * math.Sin(float64(i)/20))
	}
	require.NoError(t, WriteWAV(path, tone, 44100, PCM16))
	want, err := Load(t.Context(), path, Options{})
	require.NoError(t, err)
	var got []float32
	blocks := 0
	info, err := Stream(t.Context(), path, Options{}, func(samples []float32) error {
		blocks++
		got = append(got, samples...)
		return nil
	})
	require.NoError(t, err)
	assert.Equal(t, want.Samples, got)
	assert.Equal(t, want.Info, info)
	assert.Greater(t, blocks, 1)

	stop := errors.New("enough")
	_, err = Stream(t.Context(), path, Options{}, func([]float32) error { return stop })
	assert.ErrorIs(t, err, stop)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Stream(ended, path, Options{}, func([]float32) error { return nil })
	assert.ErrorIs(t, err, context.Canceled)
	_, err = Stream(t.Context(), path+".flac", Options{}, func([]float32) error { return nil })
	assert.Error(t, err)
}
