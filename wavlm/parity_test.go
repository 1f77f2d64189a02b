package wavlm

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
)

// The tolerance of everything computed forwards.
const forwardTol = 1e-4

var wavlms = []string{"base", "large", "odd"}

// relations are golden models of the other families; the last two are by
// tools/weights/make_weights.py.
var relations = []string{"wav2vec2_large", "hubert_base", "../weights/hubert_bn", "../weights/data2vec"}

// lengths are the samples and frames of the two golden clips.
func (g golden) lengths(cfg Config) (samples, frames []int) {
	var meta struct{ Lengths []int }
	g.meta(&meta)
	for _, n := range meta.Lengths {
		frames = append(frames, cfg.Frames(n))
	}
	return meta.Lengths, frames
}

// TestStages feeds each stage with the reference's input of that stage, so that a failure names its
// place.
func TestStages(t *testing.T) {
	for _, name := range append(wavlms, relations...) {
		t.Run(name, func(t *testing.T) {
			m, g := variant(t, name), openGolden(t, name, "io.safetensors")
			_, frames := g.lengths(m.Config)
			infer(t, m, func(s *torch.Scope) {
				near := func(name string, got *torch.Tensor) {
					t.Helper()
					g.near("masked/"+name, got, forwardTol,
						forwardTol)
				}
				at := func(name string) *torch.Tensor { t.Helper(); return g.tensor(s, "masked/"+name) }

				x := g.tensor(s, "input_values").Unsqueeze(1)
				for i, l := range m.frontEnd.layers {
					x = l.forward(x)
					if key := fmt.Sprintf("conv.%d", i); g.has("masked/" + key) {
						near(key, x.Narrow(2, 0, min(64, x.Dim(2))))
					}
				}
				features := m.frontEnd.forward(g.tensor(s, "input_values"))
				assert.Equal(t, x.Transpose(1, 2).Float32s(), features.Float32s())
				if g.has("masked/extract_features") {
					near("extract_features", m.encoder.normed(features))
				}
				near("projected", m.encoder.projection.Forward(m.encoder.normed(features)))

				valid := m.encoder.padding(s, frames, 2, features.Dim(1))
				near("pos_conv", m.encoder.positions.forward(at("projected").MaskedFill(valid.pad, 0)))
				c := setting{mask: valid.keyMask(s)}
				if m.Config.Family == WavLM {
					c.position = m.encoder.layers[0].attention.table.forward(s, features.Dim(1))
					near("position_bias", c.position)
				}
				for i, l := range m.encoder.layers {
					h := at(fmt.Sprintf("hidden_states.%d", i))
					in := h
					if m.Config.Stable {
						in = l.norm.Forward(h)
					}
					if m.Config.Family == WavLM {
						near(fmt.Sprintf("gate.%d", i), l.attention.gates(in).Squeeze(3))
					}
					attended := l.attention.forward(in, c)
					near(fmt.Sprintf("attn_out.%d", i), attended)
					in = h.Add(attended)
					if m.Config.Stable {
						in = l.finalNorm.Forward(in)
					} else {
						in = l.norm.Forward(in)
					}
					near(fmt.Sprintf("ffn_out.%d", i), l.feed.forward(in, speech.Regularise{}))
				}
			})
		})
	}
}

// TestHiddenStates runs whole models on all cases of the reference.
func TestHiddenStates(t *testing.T) {
	for _, name := range append(wavlms, relations...) {
		t.Run(name, func(t *testing.T) {
			m, g := variant(t, name), openGolden(t, name, "io.safetensors")
			samples, frames := g.lengths(m.Config)
			for _, c := range []string{"masked", "nomask", "clip0", "clip1", "spec_augment"} {
				if !g.has(c + "/hidden_states.0") {
					require.NotEqual(t, WavLM, m.Config.Family, "the reference lacks %s", c)
					continue
				}
				infer(t, m, func(s *torch.Scope) {
					wave := g.tensor(s, "input_values") // (2, S)
					pass := speech.Pass{}
					switch c {
					case "masked", "spec_augment":
						pass.Lengths = frames
					case "clip0", "clip1":
						i := int(c[4] - '0')
						wave = wave.Narrow(0, i, 1).Narrow(1, 0, samples[i])
					}
					if c == "spec_augment" {
						flags, n := g.values(c+"/mask_time_indices"), frames[0]
						for _, row := range [][]float32{flags[:n], flags[n:]} {
							mask := make([]bool, n)
							for i := range row {
								mask[i] = row[i] != 0
							}
							pass.MaskTime = append(pass.MaskTime, mask)
						}
					}
					features := m.frontEnd.forward(wave)
					hidden := m.encoder.forward(features, m.Config.Layers, pass)
					require.Len(t, hidden, m.Config.Layers+1)
					for l, h := range hidden {
						g.near(fmt.Sprintf("%s/hidden_states.%d", c, l), h, forwardTol, forwardTol)
					}
					pass.Final = speech.PostNorm
					hidden = m.encoder.forward(features, m.Config.Layers, pass)
					g.near(c+"/last_hidden_state", hidden[m.Config.Layers], forwardTol, forwardTol)
				})
			}
		})
	}
}

// mixedLoss is the loss of the golden gradients: the mean square, over real frames, of a mix of
// hidden states less a target.
func mixedLoss(s *torch.Scope, g golden, hidden []*torch.Tensor, frames []int) *torch.Tensor {
	mix := g.values("mix")
	sum := hidden[0].MulScalar(float64(mix[0]))
	for l, h := range hidden[1:] {
		sum = sum.Add(h.MulScalar(float64(mix[l+1])))
	}
	d := sum.Sub(g.tensor(s, "target"))
	var real []*torch.Tensor
	for b, n := range frames {
		real = append(real, d.Select(0, b).Narrow(0, 0, n))
	}
	return torch.Cat(0, real...).Square().Mean()
}

func TestGradients(t *testing.T) {
	for _, name := range wavlms {
		t.Run(name, func(t *testing.T) {
			m, g, in := variant(t, name), openGolden(t, name, "grads.safetensors"),
				openGolden(t, name, "io.safetensors")
			_, frames := in.lengths(m.Config)
			m.Store().Train(nil)
			train(t, m, func(s *torch.Scope) {
				wave := in.tensor(s, "input_values").RequireGrad(true)
				hidden := m.encoder.forward(m.frontEnd.forward(wave), m.Config.Layers,
					speech.Pass{Lengths: frames, Final: speech.PostNorm})
				loss := mixedLoss(s, g, hidden, frames)
				near(t, "loss", g.values("loss"), []float32{float32(loss.Item())}, 1e-5, 0)
				loss.Backward()
				checked := 0
				compare := func(name string, p *torch.Tensor) {
					key := "grad/" + name
					if !g.has(key) {
						assert.False(t, p.HasGrad(), "%s has a gradient, the reference has none", name)
						return
					}
					checked++
					if !assert.True(t, p.HasGrad(), "%s has no gradient", name) {
						return
					}
					most := 0.0
					for _, v := range g.values(key) {
						most = max(most, float64(v), -float64(v))
					}
					rtol := 1e-3
					if strings.HasSuffix(name, "k_proj.bias") {
						rtol, most = 0, 0 // its true gradient is 0
					}
					g.near(key, p.Grad(s), torchtest.Rounding()*most+1e-8, rtol)
				}
				compare("input_values", wave)
				for name, p := range m.Store().Params() {
					compare(name, p)
				}
				all := 0
				for _, key := range g.file.Names() {
					if strings.HasPrefix(key, "grad/") {
						all++
					}
				}
				assert.Equal(t, all, checked, "gradients compared")
				for _, p := range m.Store().Params() {
					torch.ClearGrad(p)
				}
			})
		})
	}
}
