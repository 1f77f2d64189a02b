package wavlm

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
)

func count(mask []bool) (n int) {
	for _, m := range mask {
		if m {
			n++
		}
	}
	return n
}

func TestSpans(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	total := 0
	for range 200 {
		m := drawSpans(speech.Spans{Prob: .1, Length: 10}, r, 100, []int{100})
		total += count(m[0])
	}
	assert.InDelta(t, 10, float64(total)/200, .5, "one span of ten in a hundred")

	for range 100 {
		m := drawSpans(speech.Spans{Prob: .5, Length: 4, Min: 2}, r, 20, []int{20, 6, 3, 1})
		require.Len(t, m, 4)
		assert.GreaterOrEqual(t, count(m[0]), 5, "at least two different spans")
		assert.LessOrEqual(t, count(m[0]), 12)
		assert.Zero(t, count(m[1][6:]), "padding is left alone")
		assert.Positive(t, count(m[1]))
		for _, short := range m[2:] { // no room for a span: the reference masks the last element
			assert.Equal(t, 1, count(short))
			assert.True(t, short[19])
		}
	}
	m := drawSpans(speech.Spans{Prob: .5, Length: 30, Min: 2}, r, 20, []int{20})
	assert.Zero(t, count(m[0]), "longer than the row")
	m = drawSpans(speech.Spans{Prob: 1, Length: 10, Min: 9}, r, 20, []int{20})
	assert.LessOrEqual(t, count(m[0]), 20)
}

// TestRegularise: each kind of disturbance acts in training, the same for the same seed, and never
// elsewhere.
func TestRegularise(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	m := variant(t, "base")
	wave := tone(8000)
	run := func(mode torch.Mode, p speech.Pass) (out []float32) {
		mode.Device = torchtest.Device()
		require.NoError(t, torch.Do(t.Context(), mode, func(s *torch.Scope) error {
			h := m.encoder.forward(m.frontEnd.forward(s.FromFloat32(wave, 1, len(wave))), 3, p)
			out = h[3].Float32s()
			return nil
		}))
		return out
	}
	plain := run(torch.Mode{}, speech.Pass{})
	assert.Equal(t, plain, run(torch.Mode{Dropout: true, Seed: 1}, speech.Pass{}), "off by default")
	for name, r := range map[string]speech.Regularise{
		"hidden":     {Hidden: .2},
		"attention":  {Attention: .2},
		"activation": {Activation: .2},
		"projection": {Projection: .2},
		"layer drop": {LayerDrop: .9},
		"time":       {Time: speech.Spans{Prob: .5, Length: 4}},
		"channels":   {Channels: speech.Spans{Prob: .5, Length: 4}},
	} {
		p := speech.Pass{Regularise: r}
		one := run(torch.Mode{Dropout: true, Seed: 1}, p)
		assert.NotEqual(t, plain, one, name)
		assert.Equal(t, one, run(torch.Mode{Dropout: true, Seed: 1}, p), name)
		if name != "layer drop" { // which has few outcomes
			assert.NotEqual(t, one, run(torch.Mode{Dropout: true, Seed: 2}, p), name)
		}
		assert.Equal(t, plain, run(torch.Mode{Seed: 1}, p), name)
	}
}

func TestLayerDrop(t *testing.T) {
	for name, first := range map[string]bool{"base": true, "hubert_base": false} {
		m := variant(t, name)
		require.NoError(t, torch.Do(t.Context(), torch.Mode{Dropout: true, Device: torchtest.Device()},
			func(s *torch.Scope) error {
				hidden := m.encoder.forward(s.Normal(0, 1, 1, 5, 24), 3,
					speech.Pass{Regularise: speech.Regularise{LayerDrop: 1}})
				require.Len(t, hidden, 4, "a layer left out has an entry")
				h := func(l int) []float32 { return hidden[l].Float32s() }
				assert.Equal(t, first, !assert.ObjectsAreEqual(h(0), h(1)), "WavLM's first layer always runs")
				assert.Equal(t, h(1), h(2))
				assert.Equal(t, h(1), h(3))
				return nil
			}))
	}
}

// TestChannelsMasked: a masked channel is 0 in all frames of its clip.
func TestChannelsMasked(t *testing.T) {
	m := variant(t, "base")
	require.NoError(t, torch.Do(t.Context(), torch.Mode{Dropout: true, Device: torchtest.Device()},
		func(s *torch.Scope) error {
			h := m.encoder.augment(s.Full(1, 2, 5, 48), nil,
				speech.Pass{Regularise: speech.Regularise{Channels: speech.Spans{Prob: .25, Length: 6}}})
			perFrame := h.Sum(2).Float32s() // (2, 5)
			for b := range 2 {
				assert.Less(t, perFrame[b*5], float32(48))
				for _, v := range perFrame[b*5 : b*5+5] {
					assert.Equal(t, perFrame[b*5], v)
				}
			}
			return nil
		}))
}

func TestMaskNeedsEmbedding(t *testing.T) {
	noLeak(t)
	c := tinyConfig()
	c.Rates.Time.Prob = 0
	m, err := freshModel(t.Context(), c, speech.Options{})
	require.NoError(t, err)
	defer m.Close()
	assert.Nil(t, m.Store().Param(maskKey), "as in the reference")
	err = m.Session().Infer(t.Context(), func(s *torch.Scope) error {
		m.encoder.forward(s.Zeros(1, 2, 8), 1, speech.Pass{MaskTime: [][]bool{{true, false}}})
		return nil
	})
	assert.ErrorContains(t, err, "this model has no masked_spec_embed")
}

// TestMaskLeavesPaddingAlone, except in HuBERT, whose reference draws as if nothing were padded.
func TestMaskLeavesPaddingAlone(t *testing.T) {
	for name, spared := range map[string]bool{"base": true, "hubert_base": false} {
		m := variant(t, name)
		require.NoError(t, torch.Do(t.Context(), torch.Mode{Dropout: true, Device: torchtest.Device()},
			func(s *torch.Scope) error {
				valid := m.encoder.padding(s, []int{40, 10}, 2, 40)
				h := m.encoder.augment(s.Zeros(2, 40, 48), valid,
					speech.Pass{Regularise: speech.Regularise{Time: speech.Spans{Prob: .9, Length: 2, Min: 2}}})
				masked := h.Square().Sum(2).Float32s() // (2, 40)
				inPadding := 0
				for _, v := range masked[40+10:] {
					if v > 0 {
						inPadding++
					}
				}
				assert.Equal(t, spared, inPadding == 0, name)
				return nil
			}))
	}
}

// TestHuBERTWithoutProjectionNorm, as its config.json may have it.
func TestHuBERTWithoutProjectionNorm(t *testing.T) {
	noLeak(t)
	c := tinyConfig()
	c.Family, c.ProjectionNorm = HuBERT, false
	m, err := freshModel(t.Context(), c, speech.Options{})
	require.NoError(t, err)
	defer m.Close()
	assert.Nil(t, m.Store().Param("feature_projection.layer_norm.weight"))
	h, err := m.HiddenStates(t.Context(), tone(800))
	require.NoError(t, err)
	assert.Len(t, h, 4)
}
