package wavlm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/hfmodel"
	"github.com/brainwavlm/bwlm/speech"
)

func TestIdentityIsThatOfTheOutputs(t *testing.T) {
	identity := func(dir string) string {
		m, err := Load(t.Context(), dir, speech.Options{})
		require.NoError(t, err)
		t.Cleanup(m.Close)
		id, err := m.Identity()
		require.NoError(t, err)
		assert.Len(t, id, 64)
		return id
	}
	edited := func(dir, file, from, to string) string {
		path := filepath.Join(dir, file)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		changed := strings.Replace(string(text), from, to, 1)
		require.NotEqual(t, string(text), changed)
		require.NoError(t, os.WriteFile(path, []byte(changed), 0o600))
		return dir
	}
	all := tensors(t, "base", "model.safetensors")
	want := identity(filepath.Join(goldens, "base"))
	with := prefixed("wavlm.", all)
	with["lm_head.bias"] = ckpt.NewTensor("lm_head.bias", []int{2}, []float32{1, 2})
	assert.Equal(t, want, identity(folder(t, "base", with)), "in a task's checkpoint")
	assert.Equal(t, want, identity(edited(folder(t, "base", all), configFile, `"hidden_dropout": 0.0`,
		`"hidden_dropout": 0.5`)), "with other dropout")
	old := folder(t, "base", all)
	require.NoError(t, os.Remove(filepath.Join(old, hfmodel.WeightsFile)))
	weights, err := os.ReadFile(filepath.Join(goldens, "base", "model_weight_g_v.safetensors"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(old, hfmodel.WeightsFile), weights, 0o600))
	assert.Equal(t, want, identity(old), "with the old keys of the weight norm")

	assert.NotEqual(t, want, identity(edited(folder(t, "base", all), configFile, `"layer_norm_eps": 1e-05`,
		`"layer_norm_eps": 1e-06`)), "with another epsilon")
	normalised := folder(t, "base", all)
	yes := []byte(`{"do_normalize": true}`)
	require.NoError(t, os.WriteFile(filepath.Join(normalised, preprocessorFile), yes, 0o600))
	assert.NotEqual(t, want, identity(normalised), "with normalised waveforms")
	bit := folder(t, "base", all)
	weights, err = os.ReadFile(filepath.Join(bit, hfmodel.WeightsFile))
	require.NoError(t, err)
	weights[len(weights)-4] ^= 1
	require.NoError(t, os.WriteFile(filepath.Join(bit, hfmodel.WeightsFile), weights, 0o600))
	assert.NotEqual(t, want, identity(bit), "with one other bit")

	m, err := Fresh(t.Context(), variant(t, "base").Config, speech.Options{})
	require.NoError(t, err)
	defer m.Close()
	id, err := m.Identity()
	require.NoError(t, err)
	assert.Empty(t, id, "not from a folder")
}
