package wavlm

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// Whatever layer or parameter an adapter replaces: the hidden states that are said to be shared are so to the bit, and the
// next one is not.
func TestSharedStatesAreShared(t *testing.T) {
	for _, name := range []string{"base", "large"} {
		m := variant(t, name)
		assert.Equal(t, m.Config.Layers+1, m.SharedStates())
		base, err := m.HiddenStates(t.Context(), tone(2000))
		require.NoError(t, err)
		view := func(a nn.Adapter) (v *Model) {
			infer(t, m, func(s *torch.Scope) {
				v, err = m.View(s, a)
				require.NoError(t, err)
			})
			return v
		}
		all := &doubler{adapts: func(string) bool { return false }}
		assert.Equal(t, m.Config.Layers+1, view(all).SharedStates())
		assert.Equal(t, m.Config.Layers+1, view(nil).SharedStates())
		seen := map[int]bool{}
		for _, path := range all.paths {
			v := view(&doubler{adapts: func(p string) bool { return p == path }})
			shared := v.SharedStates()
			seen[shared] = true
			got, err := v.HiddenStates(t.Context(), tone(2000))
			require.NoError(t, err)
			for l := range max(shared, 0) {
				assert.Equal(t, base[l], got[l], "%s: hidden state %d", path, l)
			}
			if path != "encoder.layer_norm" || !m.Config.Stable { // which no state before the last form of the last has
				assert.NotEqual(t, base[max(shared, 0)], got[max(shared, 0)], path)
			}
		}
		for shared := -1; shared <= m.Config.Layers; shared++ {
			assert.True(t, seen[shared], shared)
		}
		table := replaced("encoder.layers.0.attention.rel_attn_embed.weight")
		assert.Equal(t, 1, view(table).SharedStates())
		assert.Equal(t, 3, view(replaced("encoder.layers.2.final_layer_norm.bias")).SharedStates())
		assert.Equal(t, -1, view(replaced("feature_extractor.conv_layers.0.conv.weight")).SharedStates())
	}
}

// replaced is an adapter that puts a parameter's own values in its place.
type replaced string

func (r replaced) Param(b *nn.Builder, path string, p *torch.Tensor) *torch.Tensor {
	if path == string(r) {
		return b.Scope().Attach(p)
	}
	return p
}
func (replaced) Wrap(_ *nn.Builder, _ string, base nn.Layer) nn.Layer { return base }
func (replaced) Finish(*nn.Builder)                                   {}
