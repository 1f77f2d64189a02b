package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/exampletest"
	"github.com/brainwavlm/bwlm/npy"
)

func TestMain(m *testing.M) { exampletest.Main(m) }

func TestFeatures(t *testing.T) {
	story, loud := exampletest.Recording(t, 8, 1)
	model, out := exampletest.Model(t), filepath.Join(t.TempDir(), "f.npy")
	var printed strings.Builder
	err := run(t.Context(), []string{"-model", model, "-layer", "2", "-window", "1", "-stride", ".4", "-out", out,
		story}, &printed)
	require.NoError(t, err)
	assert.Contains(t, printed.String(), "20 windows of 1 s, the first ends at 0.40 s, 96 channels of hidden state 2")
	x, err := npy.ReadMatrix(out)
	require.NoError(t, err)
	assert.Equal(t, len(loud), x.Rows)
	assert.Equal(t, 96, x.Cols)
	assert.NotEqual(t, x.Row(5), x.Row(6))

	err = run(t.Context(), []string{"-model", model}, &printed)
	assert.Equal(t, fault.Usage, fault.KindOf(err))
}
