//go:build slow

package demo

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/sim"
)

// What the demo promises must hold on seeds that its settings were not chosen on.
func TestUnseenSeeds(t *testing.T) {
	for _, seed := range []uint64{101, 102, 103, 104, 105} {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r, err := Run(t.Context(), Options{Seed: seed, Out: filepath.Join(t.TempDir(), "demo")})
			require.NoError(t, err)
			whole, auditory, shuffled := r.WholeCortex.Test, r.AuditoryCortex.Test, r.Shuffled.Test
			t.Logf("whole: semantic %v; auditory only: auditory %v; shuffled %+.3f %v; unrelated %v; lexical probe "+
				"%v control %v",
				whole.Delta.ROIs[sim.Semantic], auditory.Delta.ROIs[sim.Auditory], shuffled.Delta.MeanR,
				*shuffled.Delta.CI95,
				*r.Transfer.Unrelated.CI95, r.Probes.Lexical, r.Probes.LexicalControl)
			assert.Positive(t, whole.Delta.ROIs[sim.Semantic].CI95[0], "whole-cortex tuning raises semantic")
			assert.Positive(t, auditory.Delta.ROIs[sim.Auditory].CI95[0], "auditory-only tuning raises auditory")
			assert.LessOrEqual(t, shuffled.Delta.CI95[0], 0., "shuffled tuning is not above base")
			for name, s := range map[string]float64{"base": whole.Base.ROIs[sim.Noise],
				"whole": whole.Tuned.ROIs[sim.Noise], "auditory": auditory.Tuned.ROIs[sim.Noise]} {
				assert.InDelta(t, 0, s, .06, "noise stays at 0: "+name)
			}
			assert.Less(t, r.Controls.Spectrum.ROIs[sim.Semantic], .10, "spectrum alone")
			assert.LessOrEqual(t, r.Transfer.Unrelated.CI95[0], 0., "the unrelated subject gains nothing")
			assert.Positive(t, r.Transfer.Related.CI95[0], "the related subject gains")
		})
	}
}

func TestNull(t *testing.T) {
	for _, seed := range []uint64{101, 102} {
		r, err := Run(t.Context(), Options{Seed: seed, Null: true, Out: filepath.Join(t.TempDir(), "demo")})
		require.NoError(t, err)
		for name, a := range map[string]Arm{"whole": r.WholeCortex, "auditory": r.AuditoryCortex,
			"shuffled": r.Shuffled} {
			assert.InDelta(t, 0, a.Test.Tuned.MeanR, .04, name)
			assert.LessOrEqual(t, a.Test.Delta.CI95[0], 0., name+": nothing comes out")
		}
	}
}
