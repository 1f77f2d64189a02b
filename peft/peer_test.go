//go:build slow

package peft_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/torch"
)

// verify has PEFT load an adapter and compare its output with the one in the folder. It gives the
// exit code.
func verify(t *testing.T, dir, variant string) (code int, output string) {
	t.Helper()
	return peer(t, filepath.Join(goldens, "make_goldens.py"), "--verify-adapter", dir, "--variant", variant)
}

// peer runs a Python script.
func peer(t *testing.T, args ...string) (code int, output string) {
	t.Helper()
	python := os.Getenv("BWLM_PEER_PYTHON")
	if python == "" {
		t.Skip("BWLM_PEER_PYTHON names no Python that has peft and transformers")
	}
	cmd := exec.CommandContext(t.Context(), python, args...)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) {
		require.NoError(t, err, "%s", out)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// expect writes into an adapter's folder what a model gives for the golden batch, plus something.
func expect(t *testing.T, dir string, values []float32, shape []int, plus float32) {
	t.Helper()
	values = append([]float32(nil), values...)
	values[len(values)/2] += plus
	require.NoError(t, ckpt.Write(filepath.Join(dir, "expected.safetensors"),
		[]ckpt.Tensor{ckpt.NewTensor("last_hidden_state", shape, values)}, nil))
}

func TestPEFTReadsWhatIsSaved(t *testing.T) {
	for name, c := range map[string]struct {
		variant string
		cfg     peft.Config
	}{
		"qkv": {"base", peft.Config{Method: &peft.LoRA{R: 4, Alpha: 6, Dropout: .3},
			TargetModules: peft.Targets("q_proj", "k_proj", "v_proj")}},
		"rslora": {"large", peft.Config{Method: &peft.LoRA{R: 3, Alpha: 2.5, RSLoRA: true, Init: peft.InitGaussian},
			TargetModules: peft.Targets("v_proj", "out_proj")}},
		"all-linear": {"base", peft.Config{Method: &peft.LoRA{R: 16, Alpha: 8},
			TargetModules: peft.Targets("all-linear"), ExcludeModules: peft.Targets("1.attention.k_proj")}},
		"layers": {"large", peft.Config{Method: &peft.LoRA{R: 2, Alpha: 8},
			TargetModules: peft.Targets("q_proj", "feature_projection.projection"), LayersToTransform: []int{0, 2},
			LayersPattern: []string{"layers"}}},
		"patterns": {"base", peft.Config{Method: &peft.LoRA{R: 2, Alpha: 8,
			RankPattern:  []peft.Entry{{Key: `layers\.2\..*`, Value: 5}, {Key: "q_proj", Value: 3}},
			AlphaPattern: []peft.Entry{{Key: `v_proj|output_dense`, Value: 1.5}, {Key: `^encoder.*`, Value: 4}}},
			TargetModules: peft.Modules{Pattern: `.*\.layers\.[12]\..*(_proj|_dense)`}}},
	} {
		t.Run(name, func(t *testing.T) {
			m := load(t, c.variant)
			a, err := peft.New(c.cfg)
			require.NoError(t, err)
			v := adapt(t, m, a)
			var values []float32
			var shape []int
			require.NoError(t, v.Session().Infer(t.Context(), func(s *torch.Scope) error {
				for _, p := range a.Store().Params() {
					p.CopyFrom(s.Attach(p).Add(s.Normal(0, .2, p.Shape()...)))
				}
				last := states(t, s, v, c.variant)[m.Architecture().Layers]
				values, shape = last.Float32s(), last.Shape()
				return nil
			}))
			dir := filepath.Join(t.TempDir(), "adapter")
			require.NoError(t, a.Save(dir))
			expect(t, dir, values, shape, 0)
			code, out := verify(t, dir, c.variant)
			assert.Zero(t, code, out)
			assert.Contains(t, out, "max abs diff:")
		})
	}
}

// Every other method, written here with other numbers than PEFT's, is read by PEFT.
func TestPEFTReadsWhatIsSavedOfOtherMethods(t *testing.T) {
	args := []string{filepath.Join("..", "tools", "peft", "methods.py"), "--verify"}
	root := t.TempDir()
	save := func(name string, a *peft.Adapter, tuned []float32, plus float32) {
		dir := filepath.Join(root, name)
		require.NoError(t, a.Save(dir))
		expect(t, dir, tuned, []int{2, 24, 48}, plus)
		args = append(args, dir)
	}
	var names []string
	for name, cfg := range map[string]peft.Config{
		"dora": {Method: &peft.LoRA{R: 3, Alpha: 5, DoRA: true},
			TargetModules: peft.Targets("q_proj", "output_dense")},
		"conv": {Method: &peft.LoRA{R: 3, Alpha: 5}, TargetModules: peft.Targets("conv_layers.3.conv", "v_proj")},
		"biasB": {Method: &peft.LoRA{R: 3, Alpha: 5, BiasB: true},
			TargetModules: peft.Targets("k_proj", "output_dense")},
		"saved": {Method: &peft.LoRA{R: 3, Alpha: 5}, TargetModules: peft.Targets("v_proj"), Bias: peft.BiasOnly,
			ModulesToSave: []string{"feature_projection", "2.attention.out_proj"}},
		"pissa": {Method: &peft.LoRA{R: 3, Alpha: 5, Init: peft.InitPiSSA}, TargetModules: peft.Targets("v_proj")},
		"olora": {Method: &peft.LoRA{R: 3, Alpha: 5, Init: peft.InitOLoRA, RSLoRA: true},
			TargetModules: peft.Targets("v_proj")},
		"bias": {Method: &peft.LoRA{R: 3, Alpha: 5}, TargetModules: peft.Targets("all-linear"), Bias: peft.BiasAll},
		"ia3": {Method: &peft.IA3{FeedForward: peft.Targets("intermediate_dense")},
			TargetModules: peft.Targets("q_proj", "intermediate_dense"), ModulesToSave: []string{"encoder.layer_norm"}},
		"ia3plain": {Method: &peft.IA3{}, TargetModules: peft.Targets("q_proj")},
		"vera": {Method: &peft.VeRA{R: 7}, TargetModules: peft.Targets("k_proj", "output_dense"),
			Bias: peft.BiasAll},
		"norms": {Method: &peft.NormTuning{}, TargetModules: peft.Targets("final_layer_norm", "encoder.layer_norm",
			"v_proj")},
		"bitfit": {Method: &peft.BitFit{}},
	} {
		t.Run(name, func(t *testing.T) {
			m := load(t, "base")
			a, err := peft.New(cfg)
			require.NoError(t, err)
			v := adapt(t, m, a)
			plain := last(t, m)
			require.NoError(t, v.Session().Infer(t.Context(), func(s *torch.Scope) error {
				for _, p := range a.Store().Params() {
					p.CopyFrom(s.Attach(p).Add(s.Normal(0, .1, p.Shape()...)))
				}
				return nil
			}))
			tuned := last(t, v)
			assert.Greater(t, distance(plain, tuned), .01)
			save(name, a, tuned, 0)
			names = append(names, name)
			if name == "bitfit" {
				save("wrong", a, tuned, 5e-4)
			}
		})
	}
	code, out := peer(t, args...)
	assert.Equal(t, 1, code, "the verdict can be no")
	for _, name := range names {
		assert.Contains(t, out, name+" good missing: [] unexpected: []")
	}
	assert.Contains(t, out, "wrong bad")
}

// The verdict must be able to be no.
func TestPEFTSeesWhatIsWrong(t *testing.T) {
	_, v, a := open(t, "base", "lora_qkv")
	var values []float32
	var shape []int
	require.NoError(t, v.Session().Infer(t.Context(), func(s *torch.Scope) error {
		last := states(t, s, v, "base")[v.Architecture().Layers]
		values, shape = last.Float32s(), last.Shape()
		return nil
	}))
	dir := filepath.Join(t.TempDir(), "adapter")
	require.NoError(t, a.Save(dir))
	expect(t, dir, values, shape, 5e-4)
	code, out := verify(t, dir, "base")
	assert.Equal(t, 1, code, out)
	assert.Contains(t, out, "missing: [] unexpected: []\nmax abs diff: 0.000")

	missing := filepath.Join(t.TempDir(), "adapter")
	require.NoError(t, a.Save(missing))
	f, err := ckpt.Open(filepath.Join(missing, peft.WeightsFile))
	require.NoError(t, err)
	var most []ckpt.Tensor
	for _, name := range f.Names()[1:] {
		tensor, err := f.Tensor(name)
		require.NoError(t, err)
		most = append(most, tensor)
	}
	require.NoError(t, ckpt.Write(filepath.Join(missing, peft.WeightsFile), most, nil))
	require.NoError(t, f.Close())
	code, out = verify(t, missing, "base")
	assert.Equal(t, 1, code, out)
	assert.Contains(t, out, "missing: ['base_model")
}
