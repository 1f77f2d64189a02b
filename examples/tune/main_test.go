package main

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/exampletest"
)

func TestMain(m *testing.M) { exampletest.Main(m) }

// stopAt ends a context when a line is printed.
type stopAt struct {
	strings.Builder
	line string
	stop context.CancelFunc
}

func (w *stopAt) Write(b []byte) (int, error) {
	if strings.Contains(string(b), w.line) {
		w.stop()
	}
	return w.Builder.Write(b)
}

func TestTuneAndContinue(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	file := exampletest.Study(t)
	ctx, stop := context.WithCancel(t.Context())
	first := &stopAt{line: "epoch 1:", stop: stop}
	require.ErrorIs(t, run(ctx, []string{file}, first), context.Canceled)

	var second strings.Builder
	require.NoError(t, run(t.Context(), []string{file}, &second))
	assert.NotContains(t, second.String(), "epoch 1:", "it was done before the interruption")
	assert.Contains(t, second.String(), "epoch 2: validation r ")
	assert.Contains(t, second.String(), "is the best on the validation rows")
	assert.Regexp(t, `all voxels +0\.\d{3} +0\.\d{3}`, second.String())
	assert.FileExists(t, filepath.Join(filepath.Dir(file), "run", "eval", "summary.json"))
	assert.Error(t, run(t.Context(), nil, &second))
}
