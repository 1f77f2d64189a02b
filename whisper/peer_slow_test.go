//go:build slow

package whisper

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/speech"
)

// TestPretrainedModelsEqualTransformers: the hidden states of real models on real recordings are those of transformers.
func TestPretrainedModelsEqualTransformers(t *testing.T) {
	python, shared := os.Getenv("BWLM_PEER_PYTHON"), os.Getenv("BWLM_SHARED")
	if python == "" {
		t.Skip("BWLM_PEER_PYTHON names no Python with transformers")
	}
	if shared == "" {
		t.Skip("BWLM_SHARED names no folder with models and recordings")
	}
	recordings, err := filepath.Glob(filepath.Join(shared, "data/speech/librispeech/*/*.flac"))
	require.NoError(t, err)
	sounds, err := filepath.Glob(filepath.Join(shared, "data/natsound/sounds/*.flac"))
	require.NoError(t, err)
	require.NotEmpty(t, recordings)
	require.NotEmpty(t, sounds)
	for _, name := range []string{"whisper-tiny.en", "whisper-base"} {
		dir := filepath.Join(shared, "models", name)
		m, err := Load(t.Context(), dir, speech.Options{})
		require.NoError(t, err)
		var clips [][]float32
		args := []string{"../tools/whisper/states.py", dir}
		for _, path := range []string{recordings[0], recordings[len(recordings)/2], sounds[0], sounds[len(sounds)/2]} {
			clip, err := audio.Load(t.Context(), path, audio.Options{})
			require.NoError(t, err)
			from := filepath.Join(t.TempDir(), "clip.safetensors")
			require.NoError(t, ckpt.Write(from,
				[]ckpt.Tensor{ckpt.NewTensor("samples", []int{len(clip.Samples)}, clip.Samples)}, nil))
			clips = append(clips, clip.Samples)
			args = append(args, from, filepath.Join(t.TempDir(), "states.safetensors"))
		}
		said, err := exec.CommandContext(t.Context(), python, args...).CombinedOutput()
		require.NoError(t, err, "%s", said)
		for k, samples := range clips {
			file, err := ckpt.Open(args[3+2*k])
			require.NoError(t, err)
			_, hidden, normed := states(t, m, samples)
			n := m.Frames(len(samples)) * m.Architecture().Width
			hidden[len(hidden)-1] = normed // as transformers returns the last
			for l, h := range hidden {
				want, err := file.Float32("hidden_states." + string(rune('0'+l)))
				require.NoError(t, err)
				near(t, want[:n], h[:n], 1e-4, "clip %d, layer %d of %s", k, l, name)
			}
			assert.NoError(t, file.Close())
		}
		m.Close()
	}
}
