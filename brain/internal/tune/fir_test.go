package tune_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/internal/tune"
	"github.com/brainwavlm/bwlm/internal/testnum"
	"github.com/brainwavlm/bwlm/torch"
)

func TestDelayedIsFIR(t *testing.T) {
	const rows, channels = 9, 3
	x := testnum.Values(rows*channels, 1)
	for _, delays := range [][]int{{1}, {1, 2, 3, 4}, {2, 5}} {
		for _, halo := range []int{0, 1, 4, 8} {
			var got []float32
			require.NoError(t, torch.Infer(t.Context(), func(s *torch.Scope) error {
				y := tune.Delayed(s.FromFloat32(x, rows, channels), delays, halo)
				assert.Equal(t, []int{rows - halo, channels * len(delays)}, y.Shape())
				got = y.Float32s()
				return nil
			}))
			want := design.FIR(x, rows, channels, delays)
			assert.Equal(t, want[halo*channels*len(delays):], got, "delays %v, halo %d", delays, halo)
		}
	}
}
