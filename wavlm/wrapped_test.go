package wavlm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/speech"
)

// prefixed returns tensors with something before each name.
func prefixed(before string, all map[string]ckpt.Tensor) map[string]ckpt.Tensor {
	out := map[string]ckpt.Tensor{}
	for name, tensor := range all {
		tensor.Name = before + name
		out[tensor.Name] = tensor
	}
	return out
}

func TestKeysOfWrappersAreExplained(t *testing.T) {
	all := tensors(t, "base", "model.safetensors")
	for before, c := range map[string]struct{ who, save string }{
		"module.":           {"DataParallel, DistributedDataParallel or DeepSpeed", "model.module.save_pretrained"},
		"_orig_mod.":        {"torch.compile", "model._orig_mod.save_pretrained"},
		"model.":            {"a class that holds the model as model", "model.model.save_pretrained"},
		"net.speech.":       {"a class that holds the model as net", `k.removeprefix("net.speech.")`},
		"module._orig_mod.": {"DataParallel", `k.removeprefix("module._orig_mod.")`},
	} {
		for _, task := range []string{"", "wavlm."} {
			_, err := loadFolder(t.Context(), folder(t, "base", prefixed(before+task, all)), speech.Options{})
			assert.Equal(t, fault.BadData, fault.KindOf(err), before)
			assert.ErrorContains(t, err, `begin with "`+before+`"`)
			assert.ErrorContains(t, err, c.who)
			assert.ErrorContains(t, err, c.save)
			assert.NotContains(t, err.Error(), "missing", "not a list of all parameters")
		}
	}
}

// Case: model.config.mask_time_prob = 0 and save_pretrained.
func TestCheckpointsOfModelsThatMaskNothing(t *testing.T) {
	all := tensors(t, "base", "model.safetensors")
	require.Contains(t, all, maskKey)
	off := func(dir string) string {
		path := filepath.Join(dir, configFile)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		changed := strings.Replace(string(text), `"mask_time_prob": 0.05`, `"mask_time_prob": 0.0`, 1)
		require.NotEqual(t, string(text), changed)
		require.NoError(t, os.WriteFile(path, []byte(changed), 0o600))
		return dir
	}
	load := func(dir string) *model {
		m, err := loadFolder(t.Context(), dir, speech.Options{})
		require.NoError(t, err)
		t.Cleanup(m.Close)
		return m
	}
	with := load(off(folder(t, "base", all)))
	assert.Contains(t, with.Notes(),
		"masked_spec_embed is not used, since mask_time_prob and mask_feature_prob are 0 in config.json")
	task := load(off(folder(t, "base", prefixed("wavlm.", all))))
	assert.Contains(t, strings.Join(task.Notes(), "\n"), "wavlm.masked_spec_embed is not used")
	delete(all, maskKey)
	without := load(off(folder(t, "base", all)))
	for _, note := range without.Notes() {
		assert.NotContains(t, note, maskKey)
	}
	require.Equal(t, without.Store().Len(), with.Store().Len())
	for name, p := range without.Store().Params() {
		assert.Equal(t, p.Float32s(), with.Store().Param(name).Float32s(), name)
	}
}
