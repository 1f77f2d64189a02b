package peft

import (
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// files are the contents of a folder.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	all := map[string]string{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		all[e.Name()] = string(data)
	}
	return all
}

func TestSaveAndLoad(t *testing.T) {
	for _, cfg := range []Config{
		{Method: &LoRA{R: 3, Alpha: 7, Dropout: .25, Init: InitGaussian}, TargetModules: Targets("up", "down"),
			BaseModel: "some/model"},
		{Method: &LoRA{R: 3, Alpha: 7}, TargetModules: Targets("all-linear"), ExcludeModules: Targets("1.down")},
		{Method: &LoRA{R: 3, Alpha: 7, RSLoRA: true, RankPattern: []Entry{{"up", 5}, {`^layers\.2.*`, 1}},
			AlphaPattern: []Entry{{"down", 3}}}, TargetModules: Modules{Pattern: `layers\.[02]\.(up|down)`}},
		{Method: &LoRA{R: 3, Alpha: 7}, TargetModules: Targets("down"), LayersToTransform: []int{1},
			LayersPattern: []string{"layers"}},
	} {
		m := base(t)
		v, a := m.adapted(t, cfg)
		first, second := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
		require.NoError(t, a.Save(first))
		saved := files(t, first)
		assert.Equal(t, []string{"README.md", ConfigFile, weightsFile}, slices.Sorted(maps.Keys(saved)))
		isFault(t, a.Save(first), fault.Exists)

		b, err := Load(first)
		require.NoError(t, err)
		w, err := m.view(t, b)
		require.NoError(t, err)
		assert.Empty(t, b.Warnings())
		require.NoError(t, b.Check())
		assert.Equal(t, v.output(t), w.output(t))
		assert.Equal(t, weights(a.Store()), weights(b.Store()))
		assert.Equal(t, cfg.Method.(*LoRA).Dropout, pair(b.Layers()[0]).dropout)
		require.NoError(t, b.Save(second))
		assert.Equal(t, saved, files(t, second), "identical bytes")

		assert.Equal(t, cfg.BaseModel != "", strings.Contains(saved["README.md"], "base_model: \"some/model\"\n"))
		assert.Contains(t, saved["README.md"], "transformers#48773")
	}
}

func TestAllLinearIsSpeltOutWhenSaved(t *testing.T) {
	_, a := base(t).adapted(t, Config{Method: &LoRA{R: 2, Alpha: 2}, TargetModules: Targets("all-linear"),
		ExcludeModules: Targets("down")})
	dir := filepath.Join(t.TempDir(), "a")
	require.NoError(t, a.Save(dir))
	cfg, err := readConfigFile(dir)
	require.NoError(t, err)
	assert.Equal(t, Targets("layers.0.up", "layers.1.up", "layers.2.up"), cfg.TargetModules)
	assert.True(t, a.Config.TargetModules.all(), "the adapter's own is as it was")
}

func TestTheFileIsThatOfPEFT(t *testing.T) {
	_, a := base(t).adapted(t, Config{Method: &LoRA{R: 2, Alpha: 2}, TargetModules: Targets("layers.1.up")})
	dir := filepath.Join(t.TempDir(), "a")
	require.NoError(t, a.Save(dir))
	f, err := ckpt.Open(filepath.Join(dir, weightsFile))
	require.NoError(t, err)
	defer f.Close()
	assert.Equal(t, map[string]string{"format": "pt"}, f.Metadata())
	assert.ElementsMatch(t, []string{"base_model.model.layers.1.up.lora_A.weight",
		"base_model.model.layers.1.up.lora_B.weight"}, f.Names())
	l := a.Layers()[0]
	got, err := f.Float32("base_model.model.layers.1.up.lora_B.weight")
	require.NoError(t, err)
	assert.Equal(t, pair(l).b.Float32s(), got)
}

// ups are the tensors of an adapter of rank 4 of layers.N.up, with something before their paths.
func ups(before string) (list []ckpt.Tensor) {
	for _, layer := range []string{"layers.0.up", "layers.1.up", "layers.2.up"} {
		list = append(list, matrix(before+layer+".lora_A.weight", 4, width),
			matrix(before+layer+".lora_B.weight", inner, 4))
	}
	return list
}

func TestKeysOfWrappedModels(t *testing.T) {
	m := base(t)
	var want []float32
	for _, c := range []struct{ before, config, warning string }{
		{"base_model.model.", config(), ""},
		{"", config(), ""}, // injected without PEFT's wrapper
		{"_orig_mod.base_model.model.", config(), ""},
		{"base_model.model._orig_mod.", config(), ""},
		{"base_model.model.wavlm.", config(), "holds this one as wavlm"},
		{"wavlm.", config(), "holds this one as wavlm"},
		{"base_model.model.encoder.", config("target_modules", `"encoder\\.layers\\.\\d\\.up"`, "rank_pattern",
			`{"^encoder\\.layers.*": 4, ".*": 5}`), "as encoder"},
		{"base_model.model.wavlm.", config("target_modules",
			`["wavlm.layers.0.up", "wavlm.layers.1.up", "wavlm.layers.2.up"]`), "as wavlm"},
	} {
		dir := folder(t, c.config, ups(c.before)...)
		a, err := Load(dir)
		require.NoError(t, err, c.before)
		v, err := m.view(t, a)
		require.NoError(t, err, c.before)
		require.NoError(t, a.Check(), c.before)
		if want == nil {
			want = v.output(t)
			require.NotEqual(t, m.output(t), want)
		}
		assert.Equal(t, want, v.output(t), c.before)
		if c.warning == "" {
			assert.Empty(t, a.Warnings())
		} else {
			assert.Contains(t, strings.Join(a.Warnings(), "\n"), c.warning)
		}

		// It is saved as it came, so that its config goes on to fit its paths.
		again := filepath.Join(t.TempDir(), "a")
		require.NoError(t, a.Save(again))
		b, err := Load(again)
		require.NoError(t, err)
		v, err = m.view(t, b)
		require.NoError(t, err)
		require.NoError(t, b.Check())
		assert.Equal(t, want, v.output(t), c.before)
	}
}

func TestHalfPrecisionIsWidened(t *testing.T) {
	tensors := ups(prefix)
	tensors[0] = ckpt.Tensor{Name: tensors[0].Name, DType: ckpt.BF16, Shape: []int{4, width},
		Data: ckpt.Bytes(slices.Repeat([]byte{0x80, 0x3f}, 4*width))}
	wide := slices.Repeat([]float64{-.5}, inner*4)
	tensors[1] = ckpt.NewTensor(tensors[1].Name, []int{inner, 4}, wide)
	a, err := Load(folder(t, config(), tensors...))
	require.NoError(t, err)
	_, err = base(t).view(t, a)
	require.NoError(t, err)
	require.NoError(t, a.Check())
	assert.Equal(t, slices.Repeat([]float32{1}, 4*width), pair(a.Layers()[0]).a.Float32s())
	assert.Equal(t, slices.Repeat([]float32{-.5}, inner*4), pair(a.Layers()[0]).b.Float32s())
}

func TestFilesThatDoNotFitAreRefused(t *testing.T) {
	const a0, b0 = "base_model.model.layers.0.up.lora_A.weight", "base_model.model.layers.0.up.lora_B.weight"
	with := func(more ...ckpt.Tensor) []ckpt.Tensor { return append(ups(prefix), more...) }
	instead := func(tensors ...ckpt.Tensor) []ckpt.Tensor { return append(ups(prefix)[2:], tensors...) }
	values := func(name string, shape []int, at int, v float32) ckpt.Tensor {
		x := make([]float32, shape[0]*shape[1])
		x[at] = v
		return ckpt.NewTensor(name, shape, x)
	}
	a, b := matrix(a0, 4, width), matrix(b0, inner, 4)
	for name, c := range map[string]struct {
		config  string
		tensors []ckpt.Tensor
		says    []string
		early   bool
	}{
		"key of nothing": {config(), with(matrix("base_model.model.layers.0.up.lora_C.weight", 4, 4)),
			[]string{"lora_C.weight: the config does not ask for it"}, false},
		"DoRA's magnitude": {config(), with(matrix("base_model.model.layers.0.up.lora_magnitude_vector", inner)),
			[]string{"the config does not ask for it"}, false},
		"bias of B": {config(), with(matrix("base_model.model.layers.0.up.lora_B.bias", inner)),
			[]string{"the config does not ask for it"}, false},
		"nothing before the end": {config(), with(matrix("base_model.model.lora_A.weight", 4, 4),
			matrix("base_model.model.lora_B.weight", 4, 4)),
			[]string{"base_model.model.lora_A.weight: the model has no such layer"}, false},
		"no magnitude": {config("use_dora", "true"), ups(prefix),
			[]string{"lora_magnitude_vector: the file has no layers.0.up.lora_magnitude_vector"}, true},
		"no bias of B": {config("lora_bias", "true"), ups(prefix),
			[]string{"the file has no layers.2.up.lora_B.bias"}, true},
		"a module not saved": {config("modules_to_save", `["0.down"]`), ups(prefix),
			[]string{"layers.0.down.weight: the file has no layers.0.down.weight", "layers.0.down.bias"}, true},
		"a bias missing": {config("bias", `"lora_only"`),
			with(matrix(prefix+"layers.0.up.base_layer.bias", inner)), []string{"the file has no layers.1.up.bias"},
			true},
		"a bias not asked for": {config(), with(matrix(prefix+"layers.0.up.base_layer.bias", inner)),
			[]string{"base_layer.bias: the config does not ask for it"}, false},
		"two spellings": {config(), with(matrix("layers.0.up.lora_A.weight", 4, width)),
			[]string{"layers.0.up.lora_A.weight stands under another key too"}, false},
		"A without B": {config(), instead(a), []string{"the file has no layers.0.up.lora_B.weight"}, true},
		"B without A": {config(), instead(b), []string{"the file has no layers.0.up.lora_A.weight"}, true},
		"two faults": {config(), append(instead(a), matrix("x", 2)),
			[]string{"the file has no layers.0.up.lora_B.weight", "x: the model has no such layer"}, true},
		"a vector": {config(), instead(matrix(a0, 4*width), b),
			[]string{"layers.0.up.lora_A.weight: shape [24] in the file, want [4 6]"}, true},
		"a convolution": {config(), instead(matrix(a0, 4, width, 3), b),
			[]string{"shape [4 6 3] in the file, want [4 6]"}, true},
		"empty": {config(), instead(matrix(a0, 0, width), matrix(b0, inner, 0)),
			[]string{a0 + ": shape [0 6], want at least one element", b0 + ": shape [10 0]"}, false},
		"integers": {config(), instead(ckpt.NewTensor(a0, []int{4, width}, make([]int64, 4*width)), b),
			[]string{a0 + ": dtype I64, want floats"}, false},
		"NaN": {config(), instead(values(a0, []int{4, width}, 7, float32(math.NaN())), b),
			[]string{a0 + ": element 7 is NaN"}, false},
		"infinite": {config(), instead(a, values(b0, []int{inner, 4}, 3, float32(math.Inf(-1)))),
			[]string{b0 + ": element 3 is -Inf"}, false},
		"no tensors": {config(), []ckpt.Tensor{}, []string{"holds no tensors"}, false},
		"layer that is not there": {config("target_modules", `["up", "in"]`),
			with(matrix("base_model.model.layers.0.in.lora_A.weight", 4, 6),
				matrix("base_model.model.layers.0.in.lora_B.weight", 6, 4)),
			[]string{"layers.0.in.lora_A.weight: the model has no such layer", "layers.0.in.lora_B.weight"}, false},
		"another model": {config("target_modules", `["in"]`),
			[]ckpt.Tensor{matrix(prefix+"a.b.in.lora_A.weight", 4, 6), matrix(prefix+"a.b.in.lora_B.weight", 6, 4)},
			[]string{"base_model.model.a.b.in.lora_A.weight: the model has no such layer"}, false},
		"two heads": {config(), append(ups(prefix + "wavlm.")[:4], ups(prefix)[4:]...),
			[]string{"the model has no such layer"}, false},
		"target without a pair": {config("target_modules", `["up", "down"]`), ups(prefix),
			[]string{"layers.0.down: the config targets it, the file has nothing for it", "layers.2.down"}, false},
		"pair without a target": {config("target_modules", `["up"]`, "exclude_modules", `["1.up"]`), ups(prefix),
			[]string{"layers.1.up.lora_A.weight: the config does not ask for it"}, false},
		"rank of the config": {config("r", "3"), ups(prefix),
			[]string{"layers.0.up.lora_A.weight: shape [4 6] in the file, want [3 6]"}, true},
		"rank of a pattern": {config("rank_pattern", `{"layers.2.up": 2}`), ups(prefix),
			[]string{"layers.2.up.lora_A.weight: shape [4 6] in the file, want [2 6]"}, true},
		"a huge rank": {config("r", "1048576"), ups(prefix), []string{"want [1048576 6]"}, true},
		"rank of B": {config(), instead(a, matrix(b0, inner, 3)),
			[]string{"layers.0.up.lora_B.weight: shape [10 3] in the file, want [10 4]"}, true},
		"another width": {config(), instead(matrix(a0, 4, width+1), b), []string{"shape [4 7] in the file, want [4 6]"},
			true},
	} {
		t.Run(name, func(t *testing.T) {
			m := base(t)
			dir := folder(t, c.config, c.tensors...)
			path := filepath.Join(dir, weightsFile)
			a, err := Load(dir)
			if err == nil {
				var view *nn.LoadError // what is wrong with a layer is told by the construction too
				if _, err := m.view(t, a); assert.Equal(t, c.early, errors.As(err, &view)) && c.early {
					assert.ErrorContains(t, err, c.says[0])
				}
				err = a.Check()
			}
			isFault(t, err, fault.BadData, append(c.says, loadAdapter, path)...)
		})
	}
}

func TestFoldersThatHoldNoAdapter(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "nothing"))
	isFault(t, err, fault.Missing, "nothing")
	dir := folder(t, config())
	_, err = Load(dir)
	isFault(t, err, fault.Missing, weightsFile)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "adapter_model.bin"), []byte("PK"), 0o600))
	_, err = Load(dir)
	isFault(t, err, fault.BadData, "adapter_model.bin")
	require.NoError(t, os.WriteFile(filepath.Join(dir, weightsFile), []byte("junk"), 0o600))
	_, err = Load(dir)
	isFault(t, err, fault.BadData, weightsFile)
}

func TestNothingHalfWrittenIsLeft(t *testing.T) {
	_, a := base(t).adapted(t, Config{Method: &LoRA{R: 2, Alpha: 2}, TargetModules: Targets("up")})
	parent := t.TempDir()
	isFault(t, a.Save(filepath.Join(parent, "no", "such", "place")), fault.IO)
	assert.Empty(t, files(t, parent))
	err := a.SaveInto(filepath.Join(parent, "missing"))
	isFault(t, err, fault.IO, saveAdapter, filepath.Join("missing", ConfigFile))
}
