//go:build slow

package main

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/sim"
)

// In clips of 8 s tuning finds at least half of what it finds in exact windows, on seeds that
// nothing was settled on, and the untuned model is read as well.
func TestBlocksKeepHalfOfTheGain(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, sim.WriteNano(filepath.Join(dir, "model")))
	var exact, block float64
	for _, seed := range []uint64{18, 19, 20} {
		a, err := simulated(t.Context(), dir, seed, settings[0], 0)
		require.NoError(t, err)
		b, err := simulated(t.Context(), dir, seed, settings[0], 8)
		require.NoError(t, err)
		t.Logf("seed %d: gain %+.3f in windows, %+.3f in clips of 8 s; features %.3f", seed, a.tuned-a.base,
			b.tuned-b.base, b.fidelity.R)
		exact, block = exact+a.tuned-a.base, block+b.tuned-b.base
		assert.InDelta(t, a.base, b.base, .03)
		for _, r := range b.fidelity.R {
			assert.Greater(t, r, .75)
		}
	}
	assert.Greater(t, exact, .03)
	assert.Greater(t, block, exact/2)
}
