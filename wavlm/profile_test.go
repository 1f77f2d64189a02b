package wavlm

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// slowAt makes the linear layer at one path slow, in both directions, and leaves what it computes.
type slowAt string

func (slowAt) Param(_ *nn.Builder, _ string, p *torch.Tensor) *torch.Tensor { return p }
func (slowAt) Finish(*nn.Builder)                                           {}
func (at slowAt) Wrap(_ *nn.Builder, path string, base nn.Layer) nn.Layer {
	if path == string(at) {
		return slowed{base}
	}
	return base
}

type slowed struct{ nn.Layer }

func (l slowed) Forward(x *torch.Tensor) *torch.Tensor {
	y, flat := l.Layer.Forward(x), x.Reshape(-1, x.Dim(-1))
	for range 1000 {
		y = y.Add(flat.Square().Sum().MulScalar(0))
	}
	return y
}

// profiled is a pass forward and back over a small model that is slow at a path, and tunes the
// weights whose name satisfies keep: seconds forward and back by part and number, the least of
// seven.
func profiled(t *testing.T, slow string, keep func(name string) bool) map[string]torch.PartTime {
	t.Helper()
	c := Default(WavLM)
	c.Hidden, c.Layers, c.Heads, c.Inner, c.PosKernel, c.PosGroups = 32, 3, 4, 64, 8, 2
	c.ConvWidth = []int{8, 8, 8, 8, 8, 8, 8}
	m, err := freshModel(t.Context(), c, speech.Options{})
	require.NoError(t, err)
	defer m.Close()
	view := view(t, m, slowAt(slow))
	m.Store().Train(keep)
	found := map[string]torch.PartTime{}
	for range 7 {
		p := torch.NewProfile()
		ctx := p.Context(t.Context())
		end := torch.Part(ctx, "step")
		require.NoError(t, view.Session().Train(ctx, 1, func(s *torch.Scope) error {
			// nothing is large enough for threads
			front := view.frontEnd.forward(s.Normal(0, .1, 1, speech.SampleRate/10))
			view.encoder.forward(front, 3, speech.Pass{})[3].Square().Mean().Backward()
			return nil
		}))
		end()
		for _, part := range p.Report().Phases[0].Parts {
			if before, ok := found[part.Name]; ok {
				part = least(part, before)
			}
			found[part.Name] = part
		}
	}
	return found
}

// least is the shorter of two measurements, which others on the machine have disturbed less.
func least(a, b torch.PartTime) torch.PartTime {
	a.Forward, a.Backward = min(a.Forward, b.Forward), min(a.Backward, b.Backward)
	for i := range a.Numbers {
		n, m := &a.Numbers[i], b.Numbers[i]
		n.Forward, n.Backward = min(n.Forward, m.Forward), min(n.Backward, m.Backward)
	}
	return a
}

func TestProfileFindsASlowLayer(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	all := func(string) bool { return true }
	for path, at := range map[string]struct {
		part   string
		number int
	}{
		"encoder.layers.1.attention.k_proj":          {speech.PartAttention, 1},
		"encoder.layers.2.feed_forward.output_dense": {speech.PartFeedForward, 2},
		"feature_projection.projection":              {speech.PartEmbedding, 0},
	} {
		found := profiled(t, path, all)
		forward, backward := found[at.part].Forward, found[at.part].Backward
		if numbers := found[at.part].Numbers; len(numbers) > 0 {
			require.Len(t, numbers, 3)
			forward, backward = numbers[at.number].Forward, numbers[at.number].Backward
		}
		for name, part := range found {
			if name == speech.PartFrontEnd { // which has work of its own
				continue
			}
			if len(part.Numbers) == 0 {
				part.Numbers = []torch.NumberTime{{Forward: part.Forward, Backward: part.Backward}}
			}
			for _, n := range part.Numbers {
				if name != at.part || n.Number != at.number {
					assert.Less(t, 2*n.Forward, forward, "%s: %s %d is as slow", path, name, n.Number)
					assert.Less(t, 2*n.Backward, backward, "%s: %s %d is as slow back", path, name, n.Number)
				}
			}
		}
	}
}

// What lies below the lowest tuned weight has no backward pass.
func TestProfileOfFrozenLayers(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	found := profiled(t, "", func(name string) bool {
		return strings.HasPrefix(name,
			"encoder.layers.1.attention.v_proj")
	})
	for name, part := range found {
		for _, n := range part.Numbers {
			assert.Positive(t, n.Forward, "%s %d", name, n.Number)
			assert.Equal(t, n.Number >= 1, n.Backward > 0, "%s %d: %g s back", name, n.Number, n.Backward)
		}
		if len(part.Numbers) == 0 {
			assert.Zero(t, part.Backward, name)
		}
	}
	assert.Len(t, found, 5)
}
