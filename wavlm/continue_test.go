package wavlm

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/brainwavlm/bwlm/torch"
)

// Hidden states go on from any of them to the same bits: in each family and form of the model, with padding and without,
// with attention whose position bias belongs to layer 0, which does not run.
func TestContinueIsForward(t *testing.T) {
	for _, name := range []string{"base", "large", "odd", "hubert_base", "wav2vec2_large", "../weights/data2vec", "../weights/hubert_bn"} {
		m := variant(t, name)
		last := m.Config.Layers
		for _, p := range []Pass{{}, {Lengths: []int{m.Config.Frames(1500), m.Config.Frames(4000)}}, {Final: PostNorm}} {
			infer(t, m, func(s *torch.Scope) {
				wave := s.FromFloat32(append(tone(4000), tone(4000)...), 2, 4000)
				want := m.Encoder.Forward(m.FrontEnd.Forward(wave), last, p)
				for from := range want[:last] {
					for to := from; to <= last; to++ {
						got := m.Encoder.Continue(want[from], from, to, p)
						assert.Len(t, got, to-from+1)
						for i, h := range got {
							assert.Equal(t, want[from+i].Float32s(), h.Float32s(), "%s: state %d of %d to %d, %+v", name, from+i, from, to, p)
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
			forward(m.FrontEnd.Forward(wave)).Square().Sum().Backward()
			for name, p := range m.Store().Params() {
				if p.HasGrad() {
					out = append(out, fmt.Sprint(name, p.Grad(s).Float32s()))
					torch.ClearGrad(p)
				}
			}
		})
		return out
	}
	whole := grads(func(x *torch.Tensor) *torch.Tensor { return m.Encoder.Forward(x, 2, Pass{})[2] })
	from := grads(func(x *torch.Tensor) *torch.Tensor {
		return m.Encoder.Continue(m.Encoder.Forward(x, 1, Pass{})[1], 1, 2, Pass{})[1]
	})
	assert.NotEmpty(t, whole)
	assert.Equal(t, whole, from)
}

func TestContinueRefuses(t *testing.T) {
	m := variant(t, "base")
	infer(t, m, func(s *torch.Scope) {
		h := s.Zeros(1, 5, m.Config.Hidden)
		for _, c := range [][2]int{{-1, 2}, {2, 1}, {0, m.Config.Layers + 1}} {
			assert.Panics(t, func() { m.Encoder.Continue(h, c[0], c[1], Pass{}) })
		}
	})
}
