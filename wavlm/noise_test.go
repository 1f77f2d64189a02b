package wavlm

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
)

// basePlus is the noise of WavLM Base+ in train mode (config.json of microsoft/wavlm-base-plus, which has no activation
// dropout), as transformers applies it and the release of the BrainWavLM authors trains with.
var basePlus = speech.Regularise{Hidden: .1, Attention: .1, Projection: .1, LayerDrop: .05,
	Time: speech.Spans{Prob: .05, Length: 10, Min: 2}}

// calls counts the dropout kernels of a pass over the three layers of a model with one kind of dropout.
func calls(t *testing.T, r speech.Regularise) (dropouts int) {
	t.Helper()
	m := variant(t, "base")
	p := torch.NewProfile()
	ctx := p.Context(t.Context())
	end := torch.Part(ctx, "pass")
	require.NoError(t, torch.Do(ctx, torch.Mode{Dropout: true, Device: torchtest.Device()}, func(s *torch.Scope) error {
		m.encoder.forward(s.Normal(0, 1, 1, 9, m.convOut()), 3, speech.Pass{Regularise: r})
		return nil
	}))
	end()
	for _, k := range p.Report().Kernels {
		if k.Kernel == "dropout" {
			dropouts += k.Calls
		}
	}
	return dropouts
}

// TestDropoutIsWhereTransformersHasIt: once after the projection; once after the norm of hidden state 0 and after
// attention and feed-forward part of each layer; once inside each feed-forward part; and on the attention weights.
func TestDropoutIsWhereTransformersHasIt(t *testing.T) {
	assert.Equal(t, 0, calls(t, speech.Regularise{}))
	assert.Equal(t, 1, calls(t, speech.Regularise{Projection: .1}))
	assert.Equal(t, 1+2*3, calls(t, speech.Regularise{Hidden: .1}))
	assert.Equal(t, 3, calls(t, speech.Regularise{Activation: .1}))
	assert.Equal(t, 0, calls(t, speech.Regularise{Attention: .1}), "inside the attention kernel")
	only := basePlus
	only.LayerDrop = 0
	assert.Equal(t, 1+1+2*3, calls(t, only))
}

// TestDropoutRates: the share of zeros is the rate, and what is left is divided by 1 - rate.
func TestDropoutRates(t *testing.T) {
	const n = 200_000
	require.NoError(t, torch.Do(t.Context(), torch.Mode{Dropout: true, Seed: 3, Device: torchtest.Device()},
		func(s *torch.Scope) error {
			zeros := 0
			for _, v := range s.Full(1, n).Dropout(.1).Float32s() {
				if v == 0 {
					zeros++
					continue
				}
				require.InDelta(t, 1/.9, v, 1e-6)
			}
			assert.InDelta(t, .1*n, zeros, 5*math.Sqrt(n*.1*.9))

			// Attention of equal scores over T values of 1 is the mean of their dropped weights: 1 on average, and of
			// variance rate/(1-rate)/T.
			const clips, heads, frames = 16, 4, 100
			zero, ones := s.Zeros(clips, heads, frames, 1), s.Full(1, clips, heads, frames, 1)
			out := zero.GatedAttention(zero, ones, torch.Attention{Scale: 1, Dropout: .1}).Float32s()
			sum, squares := 0., 0.
			for _, v := range out {
				sum += float64(v)
				squares += (float64(v) - 1) * (float64(v) - 1)
			}
			count := float64(len(out))
			want := .1 / .9 / frames
			assert.InDelta(t, 1, sum/count, 5*math.Sqrt(want/count))
			assert.InDelta(t, want, squares/count, 5*want*math.Sqrt(2/count))
			return nil
		}))
}

// TestSpecAugmentMasksTwoSpansOfAWindow: in the 199 frames of 4 s, .05·199/10 spans, rounded at random, are fewer
// than the least of 2, so that two different starts among 190 mask 20 frames less their overlap.
func TestSpecAugmentMasksTwoSpansOfAWindow(t *testing.T) {
	const frames, draws, starts = 199, 4000, 190
	r := rand.New(rand.NewPCG(5, 6))
	masked, perFrame := 0, make([]int, frames)
	for range draws {
		mask := drawSpans(basePlus.Time, r, frames, []int{frames})[0]
		n := count(mask)
		require.True(t, n >= 11 && n <= 20, "%d frames", n)
		masked += n
		for i, m := range mask {
			if m {
				perFrame[i]++
			}
		}
	}
	overlap, square := 0., 0.
	for d := 1; d < 10; d++ {
		p := 2 * float64(starts-d) / (starts * (starts - 1))
		overlap += p * float64(10-d)
		square += p * float64((10-d)*(10-d))
	}
	assert.InDelta(t, 20-overlap, float64(masked)/draws, 5*math.Sqrt((square-overlap*overlap)/draws))
	for _, i := range []int{9, 50, 100, 189} { // frames that ten starts reach: masked unless both starts are elsewhere
		p := 1 - float64(starts-10)*(starts-11)/(starts*(starts-1))
		assert.InDelta(t, p, float64(perFrame[i])/draws, 5*math.Sqrt(p*(1-p)/draws), "frame %d", i)
	}
	assert.Less(t, perFrame[0], perFrame[50]/3, "one start alone reaches the first frame")
}

// TestLayerDropLeavesOutOneLayerInTwenty, each by itself, but for the first.
func TestLayerDropLeavesOutOneLayerInTwenty(t *testing.T) {
	m := variant(t, "base")
	const passes = 4000
	counts := make([]int, 3)
	both := 0
	require.NoError(t, torch.Do(t.Context(), torch.Mode{Dropout: true, Seed: 9, Device: torchtest.Device()},
		func(s *torch.Scope) error {
			for range passes {
				d := m.encoder.dropped(s, basePlus.LayerDrop)
				for i, left := range d {
					if left {
						counts[i]++
					}
				}
				if d[1] && d[2] {
					both++
				}
			}
			return nil
		}))
	assert.Zero(t, counts[0])
	for _, n := range counts[1:] {
		assert.InDelta(t, .05*passes, n, 5*math.Sqrt(passes*.05*.95))
	}
	assert.InDelta(t, .0025*passes, both, 5*math.Sqrt(passes*.0025))
}
