package peft_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/torch"
)

// folderOf is where a golden adapter of the model base is.
func folderOf(name string) string { return filepath.Join("testdata", "methods", name) }

// Outputs, gradients and merged weights of every method's adapters, loaded from PEFT's files, equal
// PEFT's.
func TestMethodsEqualPEFT(t *testing.T) {
	for _, name := range byPEFT {
		t.Run(name, func(t *testing.T) {
			m := load(t, "base")
			a, err := peft.Load(folderOf(name))
			require.NoError(t, err)
			v := adapt(t, m, a)
			assert.Empty(t, a.Warnings())
			file, err := ckpt.Open(filepath.Join(folderOf(name), "expected.safetensors"))
			require.NoError(t, err)
			defer file.Close()
			expected := golden{t, file}
			require.NoError(t, v.Session().Infer(t.Context(), func(s *torch.Scope) error {
				expected.near("last_hidden_state", states(t, s, v, "base")[3], 1e-4, 1e-4)
				return nil
			}))
			require.NoError(t, a.CheckTrains(t.Context(), v.Session(), 1,
				func(s *torch.Scope) *torch.Tensor { return states(t, s, v, "base")[3] }))
			inactive, err := a.Inactive(t.Context(), v.Session())
			require.NoError(t, err)
			assert.Empty(t, inactive)

			a.Store().Train(nil)
			require.NoError(t, v.Session().Train(t.Context(), 1, func(s *torch.Scope) error {
				l := loss(t, s, v, "base")
				expected.near("loss", l.Reshape(1), 1e-5, 0)
				l.Backward()
				var grads []string
				for _, key := range file.Names() {
					if strings.HasPrefix(key, "grad/") && name != "adalora" {
						grads = append(grads, key)
					}
				}
				for name, p := range a.Store().Params() {
					i := slices.IndexFunc(grads, func(key string) bool { return strings.HasSuffix(key, "."+name) })
					if i >= 0 && !strings.Contains(name, "k_proj.bias") { // whose true gradient is zero
						expected.nearGrad(grads[i], p.Grad(s))
					}
					if i >= 0 {
						grads = slices.Delete(grads, i, i+1)
					}
				}
				assert.Empty(t, grads, "every gradient was compared")
				a.Store().Freeze()
				for _, p := range a.Store().Params() {
					torch.ClearGrad(p)
				}
				return nil
			}))

			bits := map[string][]byte{}
			for name, p := range m.Store().Params() {
				bits[name] = p.Bytes()
			}
			merged, err := peft.Merge(t.Context(), v.Session(), a)
			require.NoError(t, err)
			require.NoError(t, m.Session().Infer(t.Context(), func(s *torch.Scope) error {
				expected.near("merged/last_hidden_state", states(t, s, m, "base")[3], 1e-4, 1e-4)
				expected.near("merged/last_hidden_state", states(t, s, v, "base")[3], 1e-4, 1e-4)
				return nil
			}))
			for name, p := range m.Store().Params() {
				if _, ok := file.Info("merged/" + name); ok {
					expected.near("merged/"+name, p, 1e-6, 0)
				} else {
					assert.Equal(t, bits[name], p.Bytes(), name)
				}
			}
			require.NoError(t, merged.Unmerge(t.Context()))
			for name, p := range m.Store().Params() {
				assert.Equal(t, bits[name], p.Bytes(), name)
			}
		})
	}
}

// A file that PEFT wrote comes out of Load and Save with the same tensors and the same config, but
// for AdaLoRA, which comes out as a LoRA that gives the same.
func TestFilesOfMethodsSurvive(t *testing.T) {
	for _, name := range byPEFT {
		m := load(t, "base")
		a, err := peft.Load(folderOf(name))
		require.NoError(t, err)
		v := adapt(t, m, a)
		to := filepath.Join(t.TempDir(), "a")
		require.NoError(t, a.Save(to))
		if name == "adalora" {
			b, err := peft.Load(to)
			require.NoError(t, err)
			w := adapt(t, m, b)
			assert.IsType(t, &peft.LoRA{}, b.Config.Method)
			assert.Equal(t, last(t, v), last(t, w))
			continue
		}
		want, err := os.ReadFile(filepath.Join(folderOf(name), peft.WeightsFile))
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(to, peft.WeightsFile))
		require.NoError(t, err)
		assert.Equal(t, want, got, "%s byte for byte", name)
		before, err := peft.ReadConfig(folderOf(name))
		require.NoError(t, err)
		after, err := peft.ReadConfig(to)
		require.NoError(t, err)
		assert.Equal(t, before, after)
	}
}

// With bias="all" the keys of biases tell which layers are adapted: with all-linear the linear ones
// and nothing else.
func TestBiasesOfAllLinear(t *testing.T) {
	m := load(t, "base")
	a, err := peft.New(peft.Config{Method: &peft.LoRA{R: 2, Alpha: 2}, TargetModules: peft.Targets("all-linear"),
		Bias: peft.BiasAll})
	require.NoError(t, err)
	adapt(t, m, a)
	for _, name := range []string{"encoder.layers.0.attention.q_proj.base_layer.bias",
		"feature_projection.projection.base_layer.bias",
		"encoder.layer_norm.bias", "encoder.pos_conv_embed.conv.bias",
		"feature_extractor.conv_layers.0.layer_norm.bias"} {
		assert.NotNil(t, a.Store().Param(name), name)
	}
}
