package peft_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
	"github.com/brainwavlm/bwlm/wavlm"
)

const goldens = "../testdata/golden"

// cases are the adapters that PEFT made for the golden models.
var cases = []struct {
	variant, adapter string
	trained          bool
}{
	{"base", "lora_qkv", true},
	{"base", "rslora_qv", true},
	{"base", "lora_pattern", false},
	{"base", "lora_layers", false},
	{"base", "lora_all_linear_excl", false},
	{"base", "dora_attn", true},
	{"base", "lora_bias_mts", false},
	{"base", "lora_bias_B", false},
	{"base", "lora_conv", false},
	{"large", "lora_qkv", true},
	{"large", "rslora_qv", true},
	{"large", "dora_attn", true},
}

// byPEFT are the adapters of other methods, which tools/peft/methods.py had PEFT make for the
// golden model base.
var byPEFT = []string{"ia3", "vera", "vera_bias", "norms", "bitfit", "lora_bias_all", "adalora"}

// golden is an open file of reference values.
type golden struct {
	t    *testing.T
	file *ckpt.File
}

func openGolden(t *testing.T, path ...string) golden {
	t.Helper()
	file, err := ckpt.Open(filepath.Join(append([]string{goldens}, path...)...))
	require.NoError(t, err)
	t.Cleanup(func() { file.Close() })
	return golden{t, file}
}

func (g golden) tensor(s *torch.Scope, name string) *torch.Tensor {
	g.t.Helper()
	info, ok := g.file.Info(name)
	require.True(g.t, ok, name)
	values, err := g.file.Float32(name)
	require.NoError(g.t, err)
	return s.FromFloat32(values, info.Shape...)
}

// near compares a tensor with a reference value: |got - want| ≤ atol + rtol·|want|.
func (g golden) near(name string, got *torch.Tensor, atol, rtol float64) {
	g.t.Helper()
	info, ok := g.file.Info(name)
	require.True(g.t, ok, name)
	want, err := g.file.Float32(name)
	require.NoError(g.t, err)
	if !assert.Equal(g.t, info.Shape, got.Shape(), name) {
		return
	}
	for i, v := range got.Float32s() {
		if d := math.Abs(float64(v) - float64(want[i])); !(d <= atol+rtol*math.Abs(float64(want[i]))) {
			assert.Failf(g.t, "differs", "%s element %d: %g, want %g", name, i, v, want[i])
			return
		}
	}
}

// nearGrad compares a gradient: within 1e-3 of each element, and a rounding of the largest.
func (g golden) nearGrad(name string, got *torch.Tensor) {
	g.t.Helper()
	want, err := g.file.Float32(name)
	require.NoError(g.t, err)
	largest := 0.
	for _, v := range want {
		largest = max(largest, math.Abs(float64(v)))
	}
	g.near(name, got, torchtest.Rounding()*largest+1e-8, 1e-3)
}

// noLeak fails the test if it leaves tensors behind.
func noLeak(t *testing.T) {
	t.Helper()
	before := torch.Live()
	t.Cleanup(func() { assert.Equal(t, before, torch.Live(), "tensors left behind") })
}

// load opens a golden model on the device of the tests.
func load(t *testing.T, variant string) speech.Encoder {
	t.Helper()
	noLeak(t)
	m, err := wavlm.Load(t.Context(), filepath.Join(goldens, variant), speech.Options{Device: torchtest.Device()})
	require.NoError(t, err)
	t.Cleanup(m.Close)
	m.Store().Freeze()
	return m
}

// adapt is a view of a model with an adapter.
func adapt(t *testing.T, m speech.Encoder, a *peft.Adapter) speech.Encoder {
	t.Helper()
	t.Cleanup(a.Close)
	v, err := m.WithAdapter(t.Context(), a)
	require.NoError(t, err)
	return v
}

// open is a golden model with an adapter that PEFT wrote.
func open(t *testing.T, variant, adapter string) (m, v speech.Encoder, a *peft.Adapter) {
	t.Helper()
	m = load(t, variant)
	a, err := peft.Load(filepath.Join(goldens, variant, "peft", adapter))
	require.NoError(t, err)
	return m, adapt(t, m, a), a
}

// states are the hidden states of the golden batch of two clips, the last one after the final norm.
func states(t *testing.T, s *torch.Scope, m speech.Encoder, variant string) []*torch.Tensor {
	t.Helper()
	io := openGolden(t, variant, "io.safetensors")
	mask, err := io.file.Int64("attention_mask")
	require.NoError(t, err)
	info, _ := io.file.Info("attention_mask")
	var lengths []int
	for row := range slices.Chunk(mask, info.Shape[1]) {
		n := 0
		for _, v := range row {
			n += int(v)
		}
		lengths = append(lengths, m.Frames(n))
	}
	wave := io.tensor(s, "input_values") // (2, S)
	return m.Forward(m.FrontEnd(wave), 0, m.Architecture().Layers,
		speech.Pass{Lengths: lengths, Final: speech.PostNorm})
}

// loss is that of the goldens, over the frames that are no padding.
func loss(t *testing.T, s *torch.Scope, m speech.Encoder, variant string) *torch.Tensor {
	t.Helper()
	g, io := openGolden(t, variant, "grads.safetensors"), openGolden(t, variant, "io.safetensors")
	mix, err := g.file.Float32("mix")
	require.NoError(t, err)
	sum := s.Zeros()
	for l, h := range states(t, s, m, variant) {
		sum = sum.Add(h.MulScalar(float64(mix[l])))
	}
	frame := io.tensor(s, "masked/frame_mask").Unsqueeze(2) // (B, T, 1)
	square := sum.Sub(g.tensor(s, "target")).Square().Mul(frame)
	return square.Sum().MulScalar(1 / (frame.Sum().Item() * float64(m.Architecture().Width)))
}

// inMemory is what PEFT calls a parameter, once loaded, that is name in the file.
func inMemory(name string) string {
	switch {
	case strings.HasSuffix(name, "magnitude_vector"):
		name += ".weight"
	case !strings.Contains(name, ".lora_") && !strings.HasSuffix(name, ".base_layer.bias"):
		i := strings.LastIndex(name, ".")
		name = name[:i] + ".modules_to_save" + name[i:]
	}
	return "base_model.model." + name
}

// last is what a view of the golden model base makes of the golden clips.
func last(t *testing.T, v speech.Encoder) (values []float32) {
	t.Helper()
	require.NoError(t, v.Session().Infer(t.Context(), func(s *torch.Scope) error {
		values = states(t, s, v, "base")[v.Architecture().Layers].Float32s()
		return nil
	}))
	return values
}

func TestTargetsOfPEFT(t *testing.T) {
	summaries := map[string]map[string]struct {
		Targeted  []string         `json:"targeted_modules"`
		Keys      map[string][]int `json:"keys"`
		Scaling   map[string]float64
		Trainable []string
	}{}
	for _, variant := range []string{"base", "large"} {
		data, err := os.ReadFile(filepath.Join(goldens, variant, "peft", "summary.json"))
		require.NoError(t, err)
		summary := summaries[variant]
		require.NoError(t, json.Unmarshal(data, &summary))
		summaries[variant] = summary
	}
	for _, c := range cases {
		want := summaries[c.variant][c.adapter]
		require.NotEmpty(t, want.Targeted)
		m := load(t, c.variant)
		cfg, err := peft.ReadConfig(filepath.Join(goldens, c.variant, "peft", c.adapter))
		require.NoError(t, err)
		a, err := peft.New(cfg) // a new adapter has only the config to go by
		require.NoError(t, err)
		adapt(t, m, a)

		var targeted, keys []string
		for _, l := range a.Layers() {
			targeted = append(targeted, l.Path)
			assert.InDelta(t, want.Scaling[l.Path], peft.ScaleOf(l), 1e-12, l.Path)
		}
		assert.ElementsMatch(t, want.Targeted, targeted)
		for name, p := range a.Store().Params() {
			keys = append(keys, inMemory(name))
			assert.Equal(t, want.Keys["base_model.model."+name], p.Shape(), name)
		}
		assert.Len(t, keys, len(want.Keys))
		assert.ElementsMatch(t, want.Trainable, keys)
	}
}

func TestOutputsAndGradientsAreThoseOfPEFT(t *testing.T) {
	for _, c := range cases {
		t.Run(c.variant+"/"+c.adapter, func(t *testing.T) {
			_, v, a := open(t, c.variant, c.adapter)
			a.Store().Train(nil)
			expected := openGolden(t, c.variant, "peft", c.adapter, "expected.safetensors")
			require.NoError(t, v.Session().Infer(t.Context(), func(s *torch.Scope) error {
				all := states(t, s, v, c.variant)
				expected.near("last_hidden_state", all[len(all)-1], 1e-4, 1e-4)
				return nil
			}))
			require.NoError(t, v.Session().Train(t.Context(), 1, func(s *torch.Scope) error {
				l := loss(t, s, v, c.variant)
				expected.near("loss", l.Reshape(1), 1e-5, 0)
				l.Backward()
				n := 0
				for name, p := range a.Store().Params() {
					expected.nearGrad("grad/"+inMemory(name), p.Grad(s))
					n++
				}
				for _, name := range expected.file.Names() {
					if strings.HasPrefix(name, "grad/") {
						n--
					}
				}
				assert.Zero(t, n, "as many gradients as PEFT has")
				a.Store().Freeze()
				for _, p := range a.Store().Params() {
					torch.ClearGrad(p)
				}
				return nil
			}))
		})
	}
}

func TestMergedWeightsAreThoseOfPEFT(t *testing.T) {
	for _, c := range cases {
		t.Run(c.variant+"/"+c.adapter, func(t *testing.T) {
			m, v, a := open(t, c.variant, c.adapter)
			bits := map[string][]byte{}
			for name, p := range m.Store().Params() {
				bits[name] = p.Bytes()
			}
			expected := openGolden(t, c.variant, "peft", c.adapter, "expected.safetensors")
			merged, err := peft.Merge(t.Context(), v.Session(), a)
			require.NoError(t, err)
			assert.Less(t, merged.MaxRounding, 2e-7)
			require.NoError(t, m.Session().Infer(t.Context(), func(s *torch.Scope) error {
				all := states(t, s, m, c.variant)
				expected.near("merged/last_hidden_state", all[len(all)-1], 1e-4, 1e-4)
				return nil
			}))
			changed := 0
			for name, p := range m.Store().Params() {
				if _, ok := expected.file.Info("merged/" + name); ok {
					expected.near("merged/"+name, p, 1e-6, 0)
					changed++
				} else {
					assert.Equal(t, bits[name], p.Bytes(), name)
				}
			}
			n := 0
			for _, name := range expected.file.Names() {
				if strings.HasPrefix(name, "merged/") {
					n++
				}
			}
			assert.Equal(t, n-1, changed, "all but the output")

			// What is saved now is a plain model that needs no adapter.
			dir := filepath.Join(t.TempDir(), "merged")
			require.NoError(t, m.Save(t.Context(), dir))
			plain, err := wavlm.Load(t.Context(), dir, speech.Options{Device: torchtest.Device()})
			require.NoError(t, err)
			defer plain.Close()
			require.NoError(t, plain.Session().Infer(t.Context(), func(s *torch.Scope) error {
				all := states(t, s, plain, c.variant)
				expected.near("last_hidden_state", all[len(all)-1], 1e-4, 1e-4)
				return nil
			}))

			require.NoError(t, merged.Unmerge(t.Context()))
			for name, p := range m.Store().Params() {
				assert.Equal(t, bits[name], p.Bytes(), name)
			}
		})
	}
}

func TestThreeStepsAreThoseOfPEFT(t *testing.T) {
	for _, c := range cases {
		if !c.trained {
			continue
		}
		t.Run(c.variant+"/"+c.adapter, func(t *testing.T) {
			_, v, a := open(t, c.variant, c.adapter)
			g := openGolden(t, c.variant, "peft", c.adapter, "train.safetensors")
			var meta struct {
				Losses      []float64
				LR          float64 `json:"lr"`
				WeightDecay float64 `json:"weight_decay"`
				Steps       int
			}
			require.NoError(t, json.Unmarshal([]byte(g.file.Metadata()["meta"]), &meta))
			require.Len(t, meta.Losses, meta.Steps+1)
			key := func(kind, name string) string {
				name = strings.NewReplacer("lora_A.", "lora_A.default.", "lora_B.", "lora_B.default.",
					"magnitude_vector", "magnitude_vector.default.weight").Replace(name)
				return kind + "/base_model.model." + name
			}
			var adam *nn.Adam
			for step := range meta.Steps + 1 {
				require.NoError(t, v.Session().Train(t.Context(), uint64(step), func(s *torch.Scope) error {
					if adam == nil {
						group := nn.Group{LR: meta.LR}.With("", a.Store(), nil)
						adam = nn.NewAdam(s, nn.AdamOptions{Decay: meta.WeightDecay, Decoupled: true}, group)
					}
					l := loss(t, s, v, c.variant)
					assert.InDelta(t, meta.Losses[step], l.Item(), 1e-5, "step %d", step)
					if step == meta.Steps {
						return nil
					}
					l.Backward()
					if step == 0 {
						for name, p := range a.Store().Params() {
							g.nearGrad(key("grad0", name), p.Grad(s))
						}
					}
					adam.Step()
					adam.ClearGrad()
					return nil
				}))
			}
			adam.Close()
			n := 0
			for name, p := range a.Store().Params() {
				g.near(key("param3", name), p, 1e-4, 0)
				n++
			}
			assert.Equal(t, 2*n, len(g.file.Names()), "every value of the golden was compared")
		})
	}
}

func TestGoldenAdaptersTrain(t *testing.T) {
	for _, c := range cases {
		m, v, a := open(t, c.variant, c.adapter)
		forward := func(m speech.Encoder, layer int) func(*torch.Scope) *torch.Tensor {
			return func(s *torch.Scope) *torch.Tensor { return states(t, s, m, c.variant)[layer] }
		}
		require.NoError(t, a.CheckTrains(t.Context(), v.Session(), 1, forward(v, m.Architecture().Layers)), c.adapter)
		assert.ErrorContains(t, a.CheckTrains(t.Context(), v.Session(), 1, forward(m, m.Architecture().Layers)),
			"get no gradient")
		if c.adapter == "lora_conv" {
			continue // which is below all layers
		}
		// Layer 3 does nothing for what comes out of layer 2.
		err := a.CheckTrains(t.Context(), v.Session(), 1, forward(v, 2))
		require.ErrorContains(t, err, "get no gradient")
		assert.Contains(t, err.Error(), "encoder.layers.2.")
		assert.NotContains(t, err.Error(), "encoder.layers.1.")
	}
}

// A file that PEFT wrote comes out of Load and Save with the same tensors and the same config.
func TestFilesOfPEFTSurvive(t *testing.T) {
	for _, c := range cases {
		_, _, a := open(t, c.variant, c.adapter)
		from := filepath.Join(goldens, c.variant, "peft", c.adapter)
		to := filepath.Join(t.TempDir(), "a")
		require.NoError(t, a.Save(to))
		want, err := os.ReadFile(filepath.Join(from, peft.WeightsFile))
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(to, peft.WeightsFile))
		require.NoError(t, err)
		assert.Equal(t, want, got, "byte for byte")
		before, err := peft.ReadConfig(from)
		require.NoError(t, err)
		after, err := peft.ReadConfig(to)
		require.NoError(t, err)
		assert.Equal(t, before, after)
	}
}
