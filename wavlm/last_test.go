package wavlm

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
)

// The last layer alone works out no other frames than those wanted, and gives what it gives with
// all of them but for rounding, in each family, with padding, and where no layer runs.
func TestLastFramesAreThoseOfAll(t *testing.T) {
	for _, name := range []string{"base", "large", "odd", "hubert_base", "wav2vec2_large", "../weights/data2vec"} {
		m := variant(t, name)
		top := m.Config.Layers
		for _, p := range []speech.Pass{{}, {Lengths: []int{m.Config.Frames(1500), m.Config.Frames(4000)}},
			{Final: speech.PostNorm}} {
			infer(t, m, func(s *torch.Scope) {
				features := m.frontEnd.forward(s.FromFloat32(append(tone(4000), tone(4000)...), 2, 4000))
				want := m.encoder.forward(features, top, p)
				p.Last = []int{1, 4}
				for from := range top + 1 {
					got := m.encoder.forwardFrom(want[from], from, top, p)
					require.Len(t, got, top-from+1)
					for i, h := range got[:top-from] {
						assert.Equal(t, want[from+i].Float32s(), h.Float32s(), "states below are whole")
					}
					picked := want[top].IndexSelect(1, p.Last)
					assert.Equal(t, picked.Shape(), got[top-from].Shape())
					near(t, name, picked.Float32s(), got[top-from].Float32s(), forwardTol, forwardTol)
				}
			})
		}
	}
}

// Gradients, too, are those of all frames of which the others are not looked at.
func TestGradientsOfLastFrames(t *testing.T) {
	m := variant(t, "base")
	m.Store().Train(nil)
	grads := func(last []int) (out [][]float32) {
		train(t, m, func(s *torch.Scope) {
			h := m.encoder.forward(m.frontEnd.forward(s.FromFloat32(tone(4000), 1, 4000)), 2,
				speech.Pass{Last: last})[2]
			if last == nil {
				h = h.IndexSelect(1, []int{2, 5})
			}
			h.Square().Sum().Backward()
			for _, p := range m.Store().Params() {
				if p.HasGrad() {
					out = append(out, p.Grad(s).Float32s())
					torch.ClearGrad(p)
				}
			}
		})
		return out
	}
	want, got := grads(nil), grads([]int{2, 5})
	require.Len(t, got, len(want))
	for i := range want {
		near(t, "gradient", want[i], got[i], 1e-4, 1e-4)
	}
}

// A layer that layer drop leaves out hands on the frames that are wanted.
func TestLastFramesOfADroppedLayer(t *testing.T) {
	m := variant(t, "base")
	train(t, m, func(s *torch.Scope) {
		features := m.frontEnd.forward(s.FromFloat32(tone(4000), 1, 4000))
		hidden := m.encoder.forward(features, 2, speech.Pass{Last: []int{3},
			Regularise: speech.Regularise{LayerDrop: 1}})
		assert.Equal(t, hidden[1].IndexSelect(1, []int{3}).Float32s(), hidden[2].Float32s())
	})
}
