//go:build slow

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/ckpt"
)

// loadMerged runs in Python: what stock transformers makes of a merged folder, for both clips of the reference.
const loadMerged = `
import sys
from safetensors.torch import load_file, save_file
from transformers import WavLMModel
folder, golden, out = sys.argv[1:]
model, info = WavLMModel.from_pretrained(folder, output_loading_info=True)
assert not info["missing_keys"] and not info["unexpected_keys"] and not info["mismatched_keys"], info
io = load_file(golden)
h = model.eval()(io["input_values"], attention_mask=io["attention_mask"]).last_hidden_state
save_file({"last_hidden_state": h.detach().contiguous()}, out)
`

func TestTransformersLoadsAMergedModel(t *testing.T) {
	python := os.Getenv("BWLM_PEER_PYTHON")
	if python == "" {
		t.Skip("BWLM_PEER_PYTHON names no Python with torch and transformers")
	}
	for _, c := range []struct{ variant, adapter string }{{"base", "lora_qkv"}, {"base", "lora_all_linear_excl"},
		{"large", "rslora_qv"}} {
		dir := t.TempDir()
		golden := filepath.Join(goldens, c.variant)
		adapter := filepath.Join(golden, "peft", c.adapter)
		merged, out := filepath.Join(dir, "merged"), filepath.Join(dir, "out.safetensors")
		code, _, stderr := call(t, "merge", "--model", golden, "--adapter", adapter, "--out", merged)
		require.Zero(t, code, stderr)
		said, err := exec.CommandContext(t.Context(), python, "-c", loadMerged, merged,
			filepath.Join(golden, "io.safetensors"), out).CombinedOutput()
		require.NoError(t, err, string(said))
		f, err := ckpt.Open(out)
		require.NoError(t, err)
		defer f.Close()
		want := goldenValues(t, filepath.Join(adapter, "expected.safetensors"), "merged/last_hidden_state")
		near(t, want, f, "last_hidden_state", 1e-4)
	}
}

// TestBenchStepAnswers measures one step of real size.
func TestBenchStepAnswers(t *testing.T) {
	code, stdout, stderr := call(t, "bench", "step", "--windows", "8", "--voxels", "100", "--steps", "1", "--json")
	require.Zero(t, code, stderr)
	assert.Regexp(t, `^{"schema":1,"median_s":[0-9.]+,"min_s":[0-9.]+,"peak_rss_mb":[1-9][0-9]{2,},`+
		`"peak_device_mb":null,"gflop":[0-9.]{3,},"gflop_recomputed":[0-9.]+,`+
		`"peak_gflops":[0-9.]+,"peak_share":0?[.0-9]+,"threads":[1-9][0-9]*,`+
		`"fill_s":[0-9.]+,"windows":8,"seconds":4,"extraction":"windows","audio_s":2,`+
		`"voxels":100,"subjects":1,"dtype":"f32","device":"cpu"}\n$`, stdout)
}
