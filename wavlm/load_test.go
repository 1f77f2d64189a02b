package wavlm

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
)

// tensors reads all tensors of a golden checkpoint by name.
func tensors(t *testing.T, path ...string) map[string]ckpt.Tensor {
	t.Helper()
	g := openGolden(t, path...)
	all := map[string]ckpt.Tensor{}
	for _, name := range g.file.Names() {
		all[name] = ckpt.NewTensor(name, g.shape(name), g.values(name))
	}
	return all
}

// folder writes a model's folder with the config of a golden model.
func folder(t *testing.T, config string, all map[string]ckpt.Tensor) string {
	t.Helper()
	dir := t.TempDir()
	text, err := os.ReadFile(filepath.Join(goldens, config, configFile))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, configFile), text, 0o600))
	var list []ckpt.Tensor
	for _, tensor := range all {
		list = append(list, tensor)
	}
	require.NoError(t, ckpt.Write(filepath.Join(dir, "model.safetensors"), list, nil))
	return dir
}

// rename gives a tensor another name.
func rename(all map[string]ckpt.Tensor, from, to string) {
	tensor := all[from]
	delete(all, from)
	tensor.Name = to
	all[to] = tensor
}

func values(tensor ckpt.Tensor) []float32 {
	var b strings.Builder
	if _, err := tensor.Data.WriteTo(&b); err != nil {
		panic(err)
	}
	v := make([]float32, b.Len()/4)
	if _, err := binary.Decode([]byte(b.String()), binary.LittleEndian, v); err != nil {
		panic(err)
	}
	return v
}

func same(t *testing.T, dir string) *model {
	t.Helper()
	m, err := loadFolder(t.Context(), dir, speech.Options{})
	require.NoError(t, err)
	t.Cleanup(m.Close)
	base := variant(t, "base")
	require.Equal(t, base.Store().Len(), m.Store().Len())
	for name, p := range base.Store().Params() {
		assert.Equal(t, p.Float32s(), m.Store().Param(name).Float32s(), name)
	}
	return m
}

func TestLoadOldSpelling(t *testing.T) {
	m := same(t, folder(t, "base", tensors(t, "base", "model_weight_g_v.safetensors")))
	assert.Equal(t, []string{m.preprocessor.note}, m.notes)
}

func TestLoadTaskCheckpoint(t *testing.T) {
	all := map[string]ckpt.Tensor{}
	for name, tensor := range tensors(t, "base", "model.safetensors") {
		tensor.Name = "wavlm." + name
		all[tensor.Name] = tensor
	}
	for _, head := range []string{"lm_head.weight", "feature_extractor.weight"} {
		// the second as in speaker verification
		all[head] = ckpt.NewTensor(head, []int{2}, []float32{1, 2})
	}
	m := same(t, folder(t, "base", all))
	assert.Equal(t, []string{"feature_extractor.weight", "lm_head.weight"}, m.unused)
	assert.Contains(t, m.notes[0], "lm_head.weight")
}

func TestLoadHeadWithoutPrefix(t *testing.T) {
	all := tensors(t, "base", "model.safetensors")
	all["layer_weights"] = ckpt.NewTensor("layer_weights", []int{2}, []float32{1, 2})
	assert.Equal(t, []string{"layer_weights"}, same(t, folder(t, "base", all)).unused)
}

func TestLoadShards(t *testing.T) {
	all := tensors(t, "base", "model.safetensors")
	dir := folder(t, "base", nil)
	require.NoError(t, os.Remove(filepath.Join(dir, "model.safetensors")))
	index, shards := map[string]string{}, map[string][]ckpt.Tensor{}
	for name, tensor := range all {
		file := fmt.Sprintf("model-0000%d-of-00002.safetensors", 1+len(name)%2)
		index[name], shards[file] = file, append(shards[file], tensor)
	}
	for file, list := range shards {
		require.NoError(t, ckpt.Write(filepath.Join(dir, file), list, nil))
	}
	text, err := json.Marshal(map[string]any{"metadata": map[string]any{}, "weight_map": index})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "model.safetensors.index.json"), text, 0o600))
	same(t, dir)
}

func TestLoadWithoutMaskEmbedding(t *testing.T) {
	noLeak(t)
	all := tensors(t, "base", "model.safetensors")
	delete(all, maskKey)
	dir := folder(t, "base", all)
	load := func(seed uint64) []float32 {
		m, err := loadFolder(t.Context(), dir, speech.Options{Seed: seed})
		require.NoError(t, err)
		defer m.Close()
		assert.Contains(t, m.notes[0], "no masked_spec_embed")
		return m.Store().Param(maskKey).Float32s()
	}
	first := load(1)
	assert.Equal(t, first, load(1))
	assert.NotEqual(t, first, load(2))
	assert.GreaterOrEqual(t, slices.Min(first), float32(0))
	assert.Less(t, slices.Max(first), float32(1))
}

func TestLoadHalfPrecision(t *testing.T) {
	noLeak(t)
	all := tensors(t, "base", "model.safetensors")
	want := map[string][]float32{}
	for name, tensor := range all {
		v := values(tensor)
		raw := make([]byte, 0, 2*len(v))
		for i := range v { // bf16 is the upper half of f32
			bits := math.Float32bits(v[i]) >> 16
			raw = binary.LittleEndian.AppendUint16(raw, uint16(bits))
			v[i] = math.Float32frombits(bits << 16)
		}
		want[name] = v
		all[name] = ckpt.Tensor{Name: name, DType: ckpt.BF16, Shape: tensor.Shape, Data: ckpt.Bytes(raw)}
	}
	m, err := loadFolder(t.Context(), folder(t, "base", all), speech.Options{})
	require.NoError(t, err)
	defer m.Close()
	for name, p := range m.Store().Params() {
		assert.Equal(t, want[name], p.Float32s(), name)
	}
}

func TestLoadRefuses(t *testing.T) {
	const q = "encoder.layers.2.attention.q_proj.weight"
	const g, v = "encoder.pos_conv_embed.conv." + sizeKey, "encoder.pos_conv_embed.conv." + directionKey
	set := func(name string, shape []int, v []float32) func(map[string]ckpt.Tensor) {
		return func(all map[string]ckpt.Tensor) { all[name] = ckpt.NewTensor(name, shape, v) }
	}
	poison := func(x float32) func(map[string]ckpt.Tensor) {
		return func(all map[string]ckpt.Tensor) {
			w := values(all[q])
			w[5] = x
			all[q] = ckpt.NewTensor(q, []int{48, 48}, w)
		}
	}
	for name, c := range map[string]struct {
		edit func(all map[string]ckpt.Tensor)
		want string
	}{
		"missing":    {func(all map[string]ckpt.Tensor) { delete(all, q) }, q + ": missing"},
		"misshaped":  {set(q, []int{48, 47}, make([]float32, 48*47)), q + ": shape (48, 47), want (48, 48)"},
		"wrong rank": {set(q, []int{48 * 48}, make([]float32, 48*48)), q + ": shape (2304), want (48, 48)"},
		"extra": {set("encoder.layers.3.layer_norm.weight", []int{48}, make([]float32, 48)),
			"encoder.layers.3.layer_norm.weight: not part of the architecture"},
		"NaN":      {poison(float32(math.NaN())), q + ": element 5 is NaN"},
		"infinite": {poison(float32(math.Inf(-1))), q + ": element 5 is -Inf"},
		"zero":     {set(q, []int{48, 48}, make([]float32, 48*48)), q + ": all elements are 0"},
		"spelling mixed": {func(all map[string]ckpt.Tensor) {
			rename(all, g,
				strings.Replace(g, sizeKey, oldSizeKey, 1))
		}, "the weight norm is spelt in two ways"},
		"both spellings": {func(all map[string]ckpt.Tensor) {
			old := strings.Replace(v, directionKey, oldDirectionKey, 1)
			all[old] = ckpt.NewTensor(old, all[v].Shape, values(all[v]))
		}, "the weight norm is spelt in two ways"},
		"too large": {func(all map[string]ckpt.Tensor) {
			w := make([]float64, 48*48)
			w[3] = 1e300
			all[q] = ckpt.NewTensor(q, []int{48, 48}, w)
		}, q + ": element 3, 1e+300, is too large for a 32-bit float"},
		"integers": {func(all map[string]ckpt.Tensor) {
			all[q] = ckpt.NewTensor(q, []int{48, 48},
				make([]int32, 48*48))
		},
			q + ": dtype I32, want F32, F16, BF16 or F64"},
	} {
		t.Run(name, func(t *testing.T) {
			noLeak(t)
			all := tensors(t, "base", "model.safetensors")
			c.edit(all)
			dir := folder(t, "base", all)
			_, err := loadFolder(t.Context(), dir, speech.Options{})
			assert.ErrorContains(t, err, "load weights: "+dir+": "+c.want)
			assert.Equal(t, fault.BadData, fault.KindOf(err))
			if slices.Contains([]string{"NaN", "infinite", "zero"}, name) {
				m, err := loadFolder(t.Context(), dir, speech.Options{AnyValues: true})
				require.NoError(t, err)
				m.Close()
			}
		})
	}
}

// TestLoadOtherFamily: the weights of another kind of model are refused with a list of differences.
func TestLoadOtherFamily(t *testing.T) {
	for _, c := range []struct{ config, weights, want string }{
		{"base", "hubert_base", "encoder.layers.0.attention.gru_rel_pos_linear.weight: missing"},
		{"hubert_base", "base", "encoder.layers.0.attention.gru_rel_pos_const: not part of the architecture"},
		{"base", "large", "feature_extractor.conv_layers.1.layer_norm.bias: not part of the architecture"},
		{"large", "base", "feature_extractor.conv_layers.1.layer_norm.weight: missing"},
		{"base", "odd", "feature_extractor.conv_layers.0.conv.weight: shape (12, 1, 10), want (24, 1, 10)"},
	} {
		t.Run(c.weights+" as "+c.config, func(t *testing.T) {
			noLeak(t)
			_, err := loadFolder(t.Context(), folder(t, c.config, tensors(t, c.weights, "model.safetensors")),
				speech.Options{})
			require.ErrorContains(t, err, c.want)
			const most = 10
			differences := strings.Count(err.Error(), "; ") // the last part is advice
			assert.GreaterOrEqual(t, differences, most)
			assert.LessOrEqual(t, differences, most+1)
			if differences > most {
				assert.Regexp(t, "; and [0-9]+ more; check that", err)
			}
			assert.Equal(t, fault.BadData, fault.KindOf(err))
		})
	}
}

// TestLoadHugeConfig: a config that asks for terabytes is refused for the shapes, without memory
// being set aside.
func TestLoadHugeConfig(t *testing.T) {
	noLeak(t)
	dir := folder(t, "base", tensors(t, "base", "model.safetensors"))
	text := `{"model_type": "wavlm", "hidden_size": 1048576, "num_attention_heads": 16, "intermediate_size": ` +
		`1048576, "conv_dim": [24, 24, 24, 24, 24, 24, 24]}`
	require.NoError(t, os.WriteFile(filepath.Join(dir, configFile), []byte(text), 0o600))
	_, err := loadFolder(t.Context(), dir, speech.Options{})
	assert.ErrorContains(t, err, "want (1048576, 24)")
	assert.Equal(t, fault.BadData, fault.KindOf(err))
}

// dying is a file whose disk fails once its header has been read.
type dying struct {
	*os.File
	reads int
}

func (d *dying) ReadAt(p []byte, at int64) (int, error) {
	if d.reads++; d.reads > 2 {
		return 0, syscall.EIO
	}
	return d.File.ReadAt(p, at)
}

func TestLoadReadError(t *testing.T) {
	noLeak(t)
	file, err := os.Open(filepath.Join(goldens, "base", "model.safetensors"))
	require.NoError(t, err)
	defer file.Close()
	info, err := file.Stat()
	require.NoError(t, err)
	checkpoint, err := ckpt.Read(&dying{File: file}, info.Size(), "model")
	require.NoError(t, err)
	cfg, err := readConfig(filepath.Join(goldens, "base"))
	require.NoError(t, err)
	w := newWeights(checkpoint, cfg, speech.Options{})
	err = torch.Infer(t.Context(), func(s *torch.Scope) error {
		_, err := w.Tensor(s, maskKey, []int{48}, nil)
		require.NoError(t, err)
		return w.verdict("model")
	})
	assert.ErrorIs(t, err, syscall.EIO)
	assert.Equal(t, fault.IO, fault.KindOf(err), "not a fault of the data")
}

func TestLoadFileErrors(t *testing.T) {
	noLeak(t)
	_, err := loadFolder(t.Context(), t.TempDir(), speech.Options{})
	assert.Equal(t, fault.Missing, fault.KindOf(err))
	dir := folder(t, "base", nil)
	require.NoError(t, os.Remove(filepath.Join(dir, "model.safetensors")))
	_, err = loadFolder(t.Context(), dir, speech.Options{})
	assert.Equal(t, fault.Missing, fault.KindOf(err))
	require.NoError(t, os.WriteFile(filepath.Join(dir, preprocessorFile), []byte("{"), 0o600))
	_, err = loadFolder(t.Context(), dir, speech.Options{})
	assert.Equal(t, fault.BadData, fault.KindOf(err))

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = loadFolder(ctx, filepath.Join(goldens, "base"), speech.Options{})
	assert.ErrorIs(t, err, context.Canceled)
}
