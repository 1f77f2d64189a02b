package wavlm

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/torch"
)

func TestBuckets(t *testing.T) {
	g := openGolden(t, "tables", "tables.safetensors")
	relative, err := g.file.Int64("relative_position")
	require.NoError(t, err)
	for _, c := range [][2]int{{320, 800}, {32, 20}, {24, 15}} {
		want, err := g.file.Int64(fmt.Sprintf("bucket_%d_%d", c[0], c[1]))
		require.NoError(t, err)
		for i, r := range relative {
			if got := bucket(int(r), c[0], c[1]); got != int(want[i]) {
				require.Equal(t, int(want[i]), got, "relative position %d of %v", r, c)
			}
		}
	}
}

func TestToeplitz(t *testing.T) {
	noLeak(t)
	require.NoError(t, torch.Infer(t.Context(), func(s *torch.Scope) error {
		for _, frames := range []int{1, 2, 5} {
			n := 2*frames - 1
			diagonals := make([]float32, 2*n)
			for i := range diagonals {
				diagonals[i] = float32(i)
			}
			got := toeplitz(s.FromFloat32(diagonals, 2, n))
			assert.Equal(t, []int{2, frames, frames}, got.Shape())
			var want []float32
			for h := range 2 {
				for i := range frames {
					for j := range frames {
						want = append(want, diagonals[h*n+j-i+frames-1])
					}
				}
			}
			assert.Equal(t, want, got.Float32s(), "%d frames", frames)
		}
		return nil
	}))
}

func TestFrames(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(goldens, "tables", "lengths.json"))
	require.NoError(t, err)
	var want map[string]int
	require.NoError(t, json.Unmarshal(text, &want))
	require.NotEmpty(t, want)
	for samples, frames := range want {
		n, err := strconv.Atoi(samples)
		require.NoError(t, err)
		assert.Equal(t, frames, Default(WavLM).Frames(n), "%d samples", n)
	}
	c := Default(WavLM)
	assert.Equal(t, 400, c.MinSamples())
	assert.Equal(t, []int{0, 1, 1, 2}, []int{c.Frames(399), c.Frames(400), c.Frames(719), c.Frames(720)})
}
