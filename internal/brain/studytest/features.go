package studytest

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/extract"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/npy"
	"github.com/brainwavlm/bwlm/speech"
)

// Goldens is the folder of the reference's files, testdata/golden of the module.
var Goldens = filepath.Join(moduleRoot(), "testdata", "golden")

// moduleRoot returns the nearest folder, from the working directory upwards, that holds go.mod.
func moduleRoot() string {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
	}
	panic("no go.mod above the working directory")
}

// GoldenModel is a small WavLM with the reference's weights, with an adapter or without, freed after the test.
func GoldenModel(t *testing.T, adapter string) *extract.SpeechModel {
	t.Helper()
	m, err := extract.OpenModel(t.Context(), filepath.Join(Goldens, "base"), adapter,
		speech.Options{Device: torchtest.Device()})
	require.NoError(t, err)
	t.Cleanup(m.Close)
	return m
}

// GoldenClip is the longer of the reference's waveforms: half a second.
func GoldenClip(t *testing.T) []float32 {
	t.Helper()
	f, err := ckpt.Open(filepath.Join(Goldens, "base", "io.safetensors"))
	require.NoError(t, err)
	defer f.Close()
	x, err := f.Float32("input_values") // (2, 8000)
	require.NoError(t, err)
	return x[:8000]
}

// CloseTo fails unless got and want agree to within tol.
func CloseTo(t *testing.T, want, got []float32, tol float64, about ...any) {
	t.Helper()
	require.Len(t, got, len(want), about...)
	off := 0.
	for i := range want {
		off = max(off, math.Abs(float64(want[i])-float64(got[i])))
	}
	assert.LessOrEqual(t, off, tol, about...)
}

// OneVector pools the frames of a hidden state.
func OneVector(h npy.Matrix, pooling experiment.Pooling) []float32 {
	if n, ok := pooling.Index(); ok {
		if n < 0 {
			n += h.Rows
		}
		return h.Row(min(max(n, 0), h.Rows-1))
	}
	switch pooling {
	case "first":
		return h.Row(0)
	case "last":
		return h.Row(h.Rows - 1)
	}
	mean := make([]float32, h.Cols)
	for i, x := range h.Data {
		mean[i%h.Cols] += x / float32(h.Rows)
	}
	return mean
}
