package wavlm

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// TestNarrow runs models in f32, with bf16 products, and with the matrices themselves kept in bf16.
// bf16 has 8 bits, so that one rounding is off by about 1/600; hidden states and gradients stay
// within some roundings, and matrices kept in bf16 are bit-identical to matrices rounded at
// each use.
func TestNarrow(t *testing.T) {
	noLeak(t)
	for _, name := range []string{"base", "large"} {
		run := func(opt speech.Options) (out [][]float32) {
			opt.Device = torchtest.Device()
			m, err := loadFolder(t.Context(), filepath.Join(goldens, name), opt)
			require.NoError(t, err)
			defer m.Close()
			for _, l := range m.encoder.layers {
				kept := l.feed.in.(*nn.Dense).Weight.DType()
				assert.Equal(t, opt.Frozen && opt.Compute == torch.BFloat16, kept == torch.BFloat16)
				assert.Equal(t, torch.Float32, l.attention.gate.(*nn.Dense).Weight.DType())
			}
			require.NoError(t, m.Session().Train(t.Context(), 1, func(s *torch.Scope) error {
				x := s.Normal(0, 1, 3, 50, m.Config.convOut()).RequireGrad(true)
				scale := m.encoder.layers[0].attention.gateScale.RequireGrad(true)
				for _, h := range m.encoder.forward(x, m.Config.Layers, speech.Pass{}) {
					assert.Equal(t, torch.Float32, h.DType())
					out = append(out, h.Float32s())
					if len(out) == m.Config.Layers+1 {
						h.Mul(s.Normal(0, 1, h.Shape()...)).Sum().Backward()
					}
				}
				out = append(out, x.Grad(s).Float32s(), scale.Grad(s).Float32s())
				return nil
			}))
			return out
		}
		exact := run(speech.Options{Frozen: true})
		half := run(speech.Options{Compute: torch.BFloat16})
		assert.Equal(t, half, run(speech.Options{Compute: torch.BFloat16, Frozen: true}), name)
		for i := range exact {
			assert.Less(t, distance(exact[i], half[i]), .02, "%s: tensor %d", name, i)
		}
		assert.NotEqual(t, exact, half)
	}
}

// distance is the size of the difference of two lists of numbers, as a part of the size of want.
func distance(want, got []float32) float64 {
	var difference, size float64
	for i, v := range want {
		difference += math.Pow(float64(v-got[i]), 2)
		size += math.Pow(float64(v), 2)
	}
	return math.Sqrt(difference / size)
}
