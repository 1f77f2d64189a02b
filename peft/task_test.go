package peft_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/torch"
)

// tasks are adapters of task models that PEFT saved with a part of the task's head, and what the
// warnings must name (tools/peft/tasks.py).
var tasks = map[string]string{
	"seqcls":   "head of a task: classifier",
	"ctc":      "head of a task: lm_head",
	"xvector":  "head of a task: classifier, feature_extractor, projector",
	"frames":   "head of a task: classifier",
	"bias_all": "head of a task: classifier, projector",
	"pattern":  "head of a task: projector",
	"bin":      "head of a task: lm_head", // in adapter_model.bin
}

func TestAdaptersOfTaskModelsAreThoseOfPEFT(t *testing.T) {
	for name, head := range tasks {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join("testdata", "tasks", name)
			m := load(t, "base")
			a, err := peft.Load(dir)
			require.NoError(t, err)
			v := adapt(t, m, a)
			all := strings.Join(a.Warnings(), "\n")
			assert.Contains(t, all, "not used, since they belong to the "+head)
			assert.Contains(t, all, "holds this one as wavlm")
			assert.NotContains(t, all, "fits no layer")
			expected := golden{t, openGolden(t, "..", "..", "peft", dir, "expected.safetensors").file}
			near := func(s *torch.Scope) error {
				expected.near("merged/last_hidden_state", states(t, s, v, "base")[v.Architecture().Layers], 1e-4, 1e-4)
				return nil
			}
			require.NoError(t, v.Session().Infer(t.Context(), near))

			to := filepath.Join(t.TempDir(), "saved")
			require.NoError(t, a.Save(to))
			again, err := peft.Load(to)
			require.NoError(t, err)
			assert.Equal(t, last(t, v), last(t, adapt(t, m, again)), "what is saved has the same effect")

			merged, err := peft.Merge(t.Context(), v.Session(), a)
			require.NoError(t, err)
			defer merged.Close()
			v = m
			require.NoError(t, m.Session().Infer(t.Context(), near))
		})
	}
}

func TestOnlyWhatCanBeAHeadIsLeftOut(t *testing.T) {
	from := filepath.Join("testdata", "tasks", "ctc")
	g := golden{t, openGolden(t, "..", "..", "peft", from, peft.WeightsFile).file}
	for _, name := range []string{
		"base_model.model.wavlm.adapter.weight",                                    // within the encoder
		"base_model.model.teacher.encoder.layers.0.attention.q_proj.lora_A.weight", // a second encoder
	} {
		dir := t.TempDir()
		require.NoError(t, os.CopyFS(dir, os.DirFS(from)))
		all := []ckpt.Tensor{ckpt.NewTensor(name, []int{3, 48}, make([]float32, 144))}
		for _, key := range g.file.Names() {
			tensor, err := g.file.Tensor(key)
			require.NoError(t, err)
			all = append(all, tensor)
		}
		require.NoError(t, ckpt.Write(filepath.Join(dir, peft.WeightsFile), all, nil))
		m := load(t, "base")
		a, err := peft.Load(dir)
		require.NoError(t, err)
		t.Cleanup(a.Close)
		_, err = m.WithAdapter(t.Context(), a)
		assert.Equal(t, fault.BadData, fault.KindOf(err), name)
		assert.ErrorContains(t, err, name+": the model has no such layer")
	}
}

func TestAPickleOfAnAdapterIsReadWithoutRunningIt(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "tasks", "bin"))))
	bin := filepath.Join(dir, "adapter_model.bin")
	data, err := os.ReadFile(bin)
	require.NoError(t, err)
	bad := strings.Replace(string(data), "torch._utils\n_rebuild_tensor_v2", "os\nsystem_______________________", 1)
	require.NotEqual(t, string(data), bad)
	require.NoError(t, os.WriteFile(bin, []byte(bad), 0o600))
	_, err = peft.Load(dir)
	assert.Equal(t, fault.BadData, fault.KindOf(err))
	require.NoError(t, os.Remove(bin))
	_, err = peft.Load(dir)
	assert.Equal(t, fault.Missing, fault.KindOf(err))
	assert.ErrorContains(t, err, peft.WeightsFile, "the form to have is named")
}
