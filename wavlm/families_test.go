package wavlm

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
)

// sameHidden wants a model to compute the hidden states of a golden case without a mask.
func sameHidden(t *testing.T, m *model, g golden) {
	t.Helper()
	samples, frames := g.lengths(m.Config)
	require.Len(t, samples, len(frames))
	infer(t, m, func(s *torch.Scope) {
		features := m.frontEnd.forward(g.tensor(s, "input_values"))
		for l, h := range m.encoder.forward(features, m.Config.Layers, speech.Pass{}) {
			g.near(fmt.Sprintf("nomask/hidden_states.%d", l), h, forwardTol, forwardTol)
		}
	})
}

// TestLoadHalfPrecisionGoldens: weights in f16 and bf16 are widened, from each container alike.
func TestLoadHalfPrecisionGoldens(t *testing.T) {
	for _, c := range []struct{ dtype, folder string }{
		{"f16", "."}, {"f16", "bin"}, {"bf16", "."}, {"bf16", "bin"}, {"bf16", "shards"},
	} {
		t.Run(c.dtype+" "+c.folder, func(t *testing.T) {
			m, g := variant(t, filepath.Join("../weights", c.dtype, c.folder)),
				openGolden(t, "../weights", c.dtype, "io.safetensors")
			sameHidden(t, m, g)
			stored := openGolden(t, "../weights", c.dtype, "model.safetensors")
			for name, p := range m.Store().Params() {
				assert.Equal(t, torch.Float32, p.DType(), name)
				assert.Equal(t, stored.values(name), p.Float32s(), name)
			}
		})
	}
}

// TestLoadBatchNorm: what a batch norm has counted is passed over, its statistics are not.
func TestLoadBatchNorm(t *testing.T) {
	m := variant(t, "../weights/hubert_bn")
	assert.Empty(t, m.unused)
	dir := filepath.Join(t.TempDir(), "saved")
	require.NoError(t, m.Save(t.Context(), dir))
	again, err := loadFolder(t.Context(), dir, speech.Options{})
	require.NoError(t, err)
	defer again.Close()
	sameHidden(t, again, openGolden(t, "../weights/hubert_bn/io.safetensors"))

	again.Store().Train(nil)
	train(t, again, func(s *torch.Scope) {
		wave := s.FromFloat32(tone(2000), 1, 2000)
		again.encoder.forward(again.frontEnd.forward(wave), 2, speech.Pass{})[2].Square().Mean().Backward()
		at := "encoder.pos_conv_embed.batch_norm."
		assert.True(t, again.Store().Param(at+"weight").HasGrad())
		assert.False(t, again.Store().Param(at+"running_mean").HasGrad())
		assert.False(t, again.Store().Param(at+"running_var").HasGrad())
	})
}

// TestFreshFamilies: a model of each family can be made, saved and loaded.
func TestFreshFamilies(t *testing.T) {
	noLeak(t)
	for family := range architectures {
		cfg := tinyConfig()
		cfg.Family = family
		if family == Data2Vec {
			cfg.ConvNorm, cfg.Stable, cfg.PosLayers = "layer", false, 2
		}
		cfg.PosBatchNorm = family == HuBERT
		m, err := freshModel(context.Background(), cfg, speech.Options{Seed: 1})
		require.NoError(t, err, family)
		dir := filepath.Join(t.TempDir(), "fresh")
		require.NoError(t, m.Save(t.Context(), dir))
		again, err := loadFolder(t.Context(), dir, speech.Options{})
		require.NoError(t, err, family)
		want, err := m.HiddenStates(t.Context(), tone(2000))
		require.NoError(t, err)
		got, err := again.HiddenStates(t.Context(), tone(2000))
		require.NoError(t, err)
		assert.Equal(t, want, got)
		m.Close()
		again.Close()
	}
}

// TestLoadSaysWhichFamily: where the keys name the family, so does the error.
func TestLoadSaysWhichFamily(t *testing.T) {
	noLeak(t)
	all := map[string]ckpt.Tensor{"lm_head.weight": ckpt.NewTensor("lm_head.weight", []int{1}, []float32{1})}
	for name, tensor := range tensors(t, "../weights/data2vec/model.safetensors") {
		tensor.Name = "data2vec_audio." + name
		all[tensor.Name] = tensor
	}
	_, err := loadFolder(t.Context(), folder(t, "base", all), speech.Options{})
	assert.Equal(t, fault.BadData, fault.KindOf(err))
	assert.ErrorContains(t, err, "the keys begin with data2vec_audio., so these are weights of the family "+
		"data2vec-audio, and config.json says wavlm; ")
	m, err := loadFolder(t.Context(), folder(t, "../weights/data2vec", all), speech.Options{})
	require.NoError(t, err)
	defer m.Close()
	assert.Equal(t, []string{"lm_head.weight"}, m.unused)
}
