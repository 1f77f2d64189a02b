package wavlm

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
)

// Hidden states go on from any of them bit-identically: in each family and form of the model, with
// padding and without, with attention whose position bias belongs to layer 0, which does not run.
func TestContinueIsForward(t *testing.T) {
	for _, name := range []string{"base", "large", "odd", "hubert_base", "wav2vec2_large", "../weights/data2vec",
		"../weights/hubert_bn"} {
		m := variant(t, name)
		last := m.Config.Layers
		for _, p := range []speech.Pass{{}, {Lengths: []int{m.Config.Frames(1500), m.Config.Frames(4000)}},
			{Final: speech.PostNorm}} {
			infer(t, m, func(s *torch.Scope) {
				wave := s.FromFloat32(append(tone(4000), tone(4000)...), 2, 4000)
				want := m.encoder.forward(m.frontEnd.forward(wave), last, p)
				for from := range want[:last] {
					for to := from; to <= last; to++ {
						got := m.encoder.forwardFrom(want[from], from, to, p)
						assert.Len(t, got, to-from+1)
						for i, h := range got {
							assert.Equal(t, want[from+i].Float32s(), h.Float32s(), "%s: state %d of %d to %d, %+v",
								name, from+i, from, to, p)
						}
					}
				}
			})
		}
	}
}

// In training, too: gradients of weights above do not depend on where the pass began.
func TestContinueGradients(t *testing.T) {
	m := variant(t, "large")
	m.Store().Train(func(name string) bool { return len(name) > 16 && name[:16] == "encoder.layers.1" })
	grads := func(forward func(features *torch.Tensor) *torch.Tensor) (out []string) {
		train(t, m, func(s *torch.Scope) {
			wave := s.FromFloat32(tone(4000), 1, 4000)
			forward(m.frontEnd.forward(wave)).Square().Sum().Backward()
			for name, p := range m.Store().Params() {
				if p.HasGrad() {
					out = append(out, fmt.Sprint(name, p.Grad(s).Float32s()))
					torch.ClearGrad(p)
				}
			}
		})
		return out
	}
	whole := grads(func(x *torch.Tensor) *torch.Tensor { return m.encoder.forward(x, 2, speech.Pass{})[2] })
	from := grads(func(x *torch.Tensor) *torch.Tensor {
		return m.encoder.forwardFrom(m.encoder.forward(x, 1, speech.Pass{})[1], 1, 2, speech.Pass{})[1]
	})
	assert.NotEmpty(t, whole)
	assert.Equal(t, whole, from)
}

func TestContinueRefuses(t *testing.T) {
	m := variant(t, "base")
	infer(t, m, func(s *torch.Scope) {
		h := s.Zeros(1, 5, m.Config.Hidden)
		for _, c := range [][2]int{{-1, 2}, {2, 1}, {0, m.Config.Layers + 1}} {
			assert.Panics(t, func() { m.encoder.forwardFrom(h, c[0], c[1], speech.Pass{}) })
		}
	})
}

// Layer drop counts from the model's first layer, wherever a pass begins: with the same draws it
// skips the same layers.
func TestLayerDropFromAHiddenState(t *testing.T) {
	p := speech.Pass{Regularise: speech.Regularise{LayerDrop: .5}}
	for _, name := range []string{"base", "hubert_base"} {
		m := variant(t, name)
		last := m.Layers
		var start []float32 // hidden state 1
		frames := m.Frames(4000)
		skipped := func(seed uint64, from int) (which []bool) {
			mode := torch.Mode{Dropout: true, Seed: seed, Device: torchtest.Device()}
			require.NoError(t, torch.Do(t.Context(), mode, func(s *torch.Scope) error {
				hidden := m.encoder.forwardFrom(s.FromFloat32(start, 1, frames, m.Hidden), from, last, p)
				for i := range hidden[1:] {
					which = append(which, slices.Equal(hidden[i].Float32s(), hidden[i+1].Float32s()))
				}
				return nil
			}))
			return which
		}
		infer(t, m, func(s *torch.Scope) {
			start = m.encoder.forward(m.frontEnd.forward(s.FromFloat32(tone(4000), 1, 4000)), 1,
				speech.Pass{})[1].Float32s()
		})
		for from := 1; from < last; from++ {
			different := false
			for seed := range uint64(16) {
				all := skipped(seed, 0)
				assert.Equal(t, all[from:], skipped(seed, from), "%s from %d, seed %d", name, from, seed)
				different = different || !slices.Equal(all[from:], all[:last-from])
			}
			assert.True(t, different, "counting from 0 would be seen")
		}
	}
}
