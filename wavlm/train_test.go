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

// TestTraining repeats three steps of AdamW on all but the front end: losses, first gradients,
// final parameters.
func TestTraining(t *testing.T) {
	for _, name := range []string{"base", "large"} {
		t.Run(name, func(t *testing.T) {
			m, in := variant(t, name), openGolden(t, name, "io.safetensors")
			g, want := openGolden(t, name, "grads.safetensors"), openGolden(t, name, "train_full.safetensors")
			var meta struct {
				Losses      []float32
				LR          float64
				Steps       int
				WeightDecay float64 `json:"weight_decay"`
			}
			want.meta(&meta)
			_, frames := in.lengths(m.Config)
			m.Store().Train(func(name string) bool {
				return !strings.HasPrefix(name, "feature_extractor.") && name != maskKey
			})
			group := nn.Group{LR: meta.LR}
			for name, p := range m.Store().Params() {
				if p.RequiresGrad() {
					group.Names, group.Params = append(group.Names, name), append(group.Params, p)
				}
			}
			var opt *nn.Adam
			infer(t, m, func(s *torch.Scope) {
				opt = nn.NewAdam(s, nn.AdamOptions{Decay: meta.WeightDecay, Decoupled: true}, group)
			})
			defer opt.Close()
			var losses []float32
			for step := range meta.Steps + 1 {
				train(t, m, func(s *torch.Scope) {
					hidden := m.encoder.forward(m.frontEnd.forward(in.tensor(s, "input_values")), m.Config.Layers,
						speech.Pass{Lengths: frames, Final: speech.PostNorm})
					loss := mixedLoss(s, g, hidden, frames)
					losses = append(losses, float32(loss.Item()))
					if step == meta.Steps {
						return
					}
					loss.Backward()
					for i, name := range group.Names {
						if key := "grad0/" + name; step == 0 && want.has(key) {
							want.near(key, group.Params[i].Grad(s), 1e-6, 1e-3)
						}
					}
					opt.Step()
					opt.ClearGrad()
				})
			}
			near(t, "losses", meta.Losses, losses, 1e-5, 0)
			checked := 0
			for i, name := range group.Names {
				if key := "param3/" + name; want.has(key) {
					want.near(key, group.Params[i], 1e-4, 0)
					checked++
				}
			}
			assert.Equal(t, 22, checked)
		})
	}
}

// TestTrainingFollowsThePositionalKernel: the kernel is made of trainable parameters, so a change
// of these must be seen at once, also where nothing is trained any more.
func TestTrainingFollowsThePositionalKernel(t *testing.T) {
	m := variant(t, "base")
	wave := tone(2000)
	before, err := m.HiddenStates(t.Context(), wave, 0)
	require.NoError(t, err)
	infer(t, m, func(s *torch.Scope) {
		g := m.encoder.positions.(*posConv).size
		g.CopyFrom(s.Attach(g).MulScalar(2))
	})
	after, err := m.HiddenStates(t.Context(), wave, 0)
	require.NoError(t, err)
	assert.NotEqual(t, before, after)
}
