package wavlm

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// Whatever layer or parameter an adapter replaces: states at depths up to FrozenDepth are
// bit-identical, and the next one is not.
func TestFrozenDepth(t *testing.T) {
	for _, name := range []string{"base", "large"} {
		m := variant(t, name)
		assert.Equal(t, m.Layers+1, m.FrozenDepth())
		assert.Empty(t, m.Adapted())
		base, err := m.HiddenStates(t.Context(), tone(2000))
		require.NoError(t, err)
		depthOf := func(v *model) int { return v.FrozenDepth(v.Adapted()...) }
		all := &doubler{adapts: func(string) bool { return false }}
		assert.Equal(t, m.Layers+1, depthOf(view(t, m, all)))
		seen := map[int]bool{}
		for _, path := range all.paths {
			v := view(t, m, &doubler{adapts: func(p string) bool { return p == path }})
			assert.Equal(t, []string{path}, v.Adapted())
			shared := depthOf(v)
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
		assert.Equal(t, 1, depthOf(view(t, m, table)))
		assert.Equal(t, 3, depthOf(view(t, m, replaced("encoder.layers.2.final_layer_norm.bias"))))
		assert.Equal(t, -1, depthOf(view(t, m, replaced("feature_extractor.conv_layers.0.conv.weight"))))
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

// linears is an adapter that records the paths of linear layers.
type linears struct{ paths []string }

func (l *linears) Param(_ *nn.Builder, _ string, p *torch.Tensor) *torch.Tensor { return p }
func (l *linears) Finish(*nn.Builder)                                           {}

func (l *linears) Wrap(_ *nn.Builder, path string, base nn.Layer) nn.Layer {
	if _, ok := base.(*nn.Dense); ok {
		l.paths = append(l.paths, path)
	}
	return base
}

// The names of linear layers are those of the model as it is built, and each word stands for the
// ends of some of them.
func TestLinearLayersAndTargets(t *testing.T) {
	for _, name := range []string{"base", "large", "hubert_base", "wav2vec2_large", "../weights/data2vec"} {
		m, seen := variant(t, name), &linears{}
		view(t, m, seen)
		assert.Equal(t, seen.paths, m.LinearLayers(), name)
		reached := func(word speech.Targets) (n int) {
			for _, path := range m.LinearLayers() {
				if slices.ContainsFunc(m.Targets(word), func(end string) bool {
					return path == end ||
						strings.HasSuffix(path, "."+end)
				}) {
					n++
				}
			}
			return n
		}
		assert.Equal(t, 3*m.Layers, reached(speech.TargetsAuto), name)
		assert.Equal(t, 4*m.Layers, reached(speech.TargetsAttention), name)
		assert.Equal(t, len(m.LinearLayers()), reached(speech.TargetsAllLinear), name)
		assert.Nil(t, m.Targets("q_proj"))
	}
}

// Full fine-tuning trains all but the front end.
func TestTrainedInFull(t *testing.T) {
	m := variant(t, "base")
	var trained []string
	for name := range m.Store().Params() {
		assert.Equal(t, !strings.HasPrefix(name, "feature_extractor."), m.TrainedInFull(name), name)
		if m.TrainedInFull(name) {
			trained = append(trained, name)
		}
	}
	assert.Zero(t, m.FrozenDepth(trained...), "so that its output can be cached")
}
