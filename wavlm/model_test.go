package wavlm

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/npy"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// tiny makes a small model with random weights.
func tiny(t *testing.T, opt speech.Options) *model {
	t.Helper()
	m, err := freshModel(t.Context(), tinyConfig(), opt)
	require.NoError(t, err)
	t.Cleanup(m.Close)
	return m
}

func tinyConfig() Config {
	c := Default(WavLM)
	c.Hidden, c.Layers, c.Heads, c.Inner, c.PosKernel, c.PosGroups = 16, 3, 2, 32, 8, 2
	c.ConvWidth = []int{8, 8, 8, 8, 8, 8, 8}
	return c
}

// tone is n samples of a 200 Hz tone.
func tone(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(.3 * math.Sin(2*math.Pi*200*float64(i)/speech.SampleRate))
	}
	return x
}

func TestHiddenStatesOfAWaveform(t *testing.T) {
	for _, name := range []string{"base", "large"} {
		m, g := variant(t, name), openGolden(t, name, "io.safetensors")
		samples := g.values("input_values")[:8000]
		if name == "large" { // it normalises; the reference was given the waveform as it is
			m.preprocessor.normalise = false
		}
		all, err := m.HiddenStates(t.Context(), samples)
		require.NoError(t, err)
		require.Len(t, all, 4)
		for l, h := range all {
			near(t, name, g.values(fmt.Sprintf("clip0/hidden_states.%d", l)), h.Data, forwardTol, forwardTol)
		}
		some, err := m.HiddenStates(t.Context(), samples, 2, 0)
		require.NoError(t, err)
		assert.Equal(t, []npy.Matrix{all[2], all[0]}, some)
		assert.Equal(t, [2]int{m.Frames(len(samples)), m.Hidden}, [2]int{some[0].Rows, some[0].Cols})
	}
}

func TestHiddenStatesNormalise(t *testing.T) {
	m := variant(t, "large")
	quiet, loud := tone(4000), tone(4000)
	for i := range quiet {
		quiet[i] *= .1
	}
	a, err := m.HiddenStates(t.Context(), quiet, 3)
	require.NoError(t, err)
	b, err := m.HiddenStates(t.Context(), loud, 3)
	require.NoError(t, err)
	near(t, "normalised", a[0].Data, b[0].Data, 1e-3, 1e-3)
}

func TestHiddenStatesRefuse(t *testing.T) {
	m := variant(t, "base")
	bad := tone(500)
	bad[7] = float32(math.NaN())
	for why, call := range map[string]func() ([]npy.Matrix, error){
		"the audio has 399 samples, want at least 400": func() ([]npy.Matrix,
			error) {
			return m.HiddenStates(t.Context(), tone(399))
		},
		"sample 7 is NaN": func() ([]npy.Matrix, error) { return m.HiddenStates(t.Context(), bad) },
		"there is no layer 4, the model has 0 to 3": func() ([]npy.Matrix,
			error) {
			return m.HiddenStates(t.Context(), tone(400), 4)
		},
		"there is no layer -1": func() ([]npy.Matrix, error) { return m.HiddenStates(t.Context(), tone(400), -1) },
	} {
		_, err := call()
		assert.ErrorContains(t, err, why)
		assert.NotEqual(t, fault.Internal, fault.KindOf(err))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := m.HiddenStates(ctx, tone(400))
	assert.ErrorIs(t, err, context.Canceled)
	one, err := m.HiddenStates(t.Context(), tone(400), 3)
	require.NoError(t, err)
	assert.Len(t, one[0].Data, m.Config.Hidden)
}

// witness is an adapter that notes which linear layers run.
type witness struct{ ran map[string]bool }

type witnessed struct {
	nn.Linear
	run func()
}

func (w witnessed) Forward(x *torch.Tensor) *torch.Tensor {
	w.run()
	return w.Linear.Forward(x)
}

func (w *witness) Param(_ *nn.Builder, _ string, p *torch.Tensor) *torch.Tensor { return p }
func (w *witness) Finish(*nn.Builder)                                           {}

func (w *witness) Wrap(_ *nn.Builder, path string, base nn.Layer) nn.Layer {
	return witnessed{base, func() { w.ran[path] = true }}
}

// TestHigherLayersDoNotRun: what is above the layer that is read takes no part.
func TestHigherLayersDoNotRun(t *testing.T) {
	m := variant(t, "large")
	want, err := m.HiddenStates(t.Context(), tone(2000), 0, 1)
	require.NoError(t, err)
	infer(t, m, func(s *torch.Scope) {
		for name, p := range m.Store().Params() {
			if strings.HasPrefix(name, "encoder.layers.1.") || strings.HasPrefix(name, "encoder.layers.2.") ||
				strings.HasPrefix(name, "encoder.layer_norm.") {
				p.CopyFrom(s.Full(math.NaN(), p.Shape()...))
			}
		}
	})
	w := &witness{map[string]bool{}}
	v := view(t, m, w)
	got, err := v.HiddenStates(t.Context(), tone(2000), 0, 1)
	require.NoError(t, err)
	assert.Equal(t, want, got)
	assert.Len(t, w.ran, 2*7+2+7+2, "the front end, the projection, layer 0")
	for path := range w.ran {
		assert.NotContains(t, path, "encoder.layers.1.")
		assert.NotContains(t, path, "encoder.layers.2.")
	}
	got, err = v.HiddenStates(t.Context(), tone(2000), 2)
	require.NoError(t, err)
	assert.True(t, math.IsNaN(float64(got[0].Data[0])), "the poison works")
}

func TestConcurrentInference(t *testing.T) {
	m := variant(t, "base")
	want, err := m.HiddenStates(t.Context(), tone(3000))
	require.NoError(t, err)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			got, err := m.HiddenStates(t.Context(), tone(3000))
			assert.NoError(t, err)
			assert.Equal(t, want, got)
		})
	}
	wg.Wait()
}

func TestForwardRefuses(t *testing.T) {
	m := variant(t, "base")
	c := m.Config.convOut()
	for why, call := range map[string]func(s *torch.Scope){
		"a waveform of 399 samples is too short, want at least 400": func(
			s *torch.Scope) {
			m.frontEnd.forward(s.Zeros(1, 399))
		},
		"there is no hidden state 4": func(s *torch.Scope) {
			m.encoder.forward(s.Zeros(1,
				5, c), 4, speech.Pass{})
		},
		"1 lengths for a batch of 2": func(s *torch.Scope) {
			m.encoder.forward(s.Zeros(2, 5, c), 1,
				speech.Pass{Lengths: []int{5}})
		},
		"clip 1 has 0 real frames, want 1 to 5": func(s *torch.Scope) {
			m.encoder.forward(s.Zeros(2, 5, c), 1,
				speech.Pass{Lengths: []int{5, 0}})
		},
		"want 1 rows of 5": func(s *torch.Scope) {
			m.encoder.forward(s.Zeros(1, 5, c), 1,
				speech.Pass{MaskTime: [][]bool{{true}}})
		},
	} {
		err := m.Session().Infer(t.Context(), func(s *torch.Scope) error { call(s); return nil })
		assert.ErrorContains(t, err, why)
	}
}

// TestPaddingDoesNotMatter for models with layer norm: whatever stands in the padding.
func TestPaddingDoesNotMatter(t *testing.T) {
	m := variant(t, "large")
	infer(t, m, func(s *torch.Scope) {
		a, b := s.Normal(0, 1, 1, 9, 24), s.Normal(0, 1, 1, 5, 24)
		batch := torch.Cat(0, a, torch.Cat(1, b, s.Normal(0, 50, 1, 4, 24)))
		both := m.encoder.forward(batch, 3, speech.Pass{Lengths: []int{9, 5}})
		alone := m.encoder.forward(b, 3, speech.Pass{})
		near(t, "clip", alone[3].Float32s(), both[3].Narrow(0, 1, 1).Narrow(1, 0, 5).Contiguous().Float32s(), 2e-5,
			1e-5)
	})
}

func TestFresh(t *testing.T) {
	noLeak(t)
	m := tiny(t, speech.Options{Seed: 1})
	same, other := tiny(t, speech.Options{Seed: 1}), tiny(t, speech.Options{Seed: 2})
	const q = "encoder.layers.1.attention.q_proj.weight"
	assert.Equal(t, m.Store().Param(q).Float32s(), same.Store().Param(q).Float32s())
	assert.NotEqual(t, m.Store().Param(q).Float32s(), other.Store().Param(q).Float32s())
	infer(t, m, func(s *torch.Scope) {
		p := func(name string) *torch.Tensor { return s.Attach(m.Store().Param(name)) }
		assert.InDelta(t, .02, math.Sqrt(p(q).Square().Mean().Item()), .005)
		assert.InDelta(t, math.Sqrt(2./24),
			math.Sqrt(p("feature_extractor.conv_layers.1.conv.weight").Square().Mean().Item()), .05)
		assert.LessOrEqual(t, p("feature_projection.projection.weight").MaxAbs(), 1/math.Sqrt(8))
		v := "encoder.pos_conv_embed.conv." + directionKey
		near(t, "the kernel starts as V", p(v).Float32s(), m.encoder.positions.(*posConv).kernel(s).Float32s(), 1e-6, 0)
		assert.LessOrEqual(t, p(v).MaxAbs(), 1/math.Sqrt(8*8))
	})
	h, err := m.HiddenStates(t.Context(), tone(2000))
	require.NoError(t, err)
	assert.Len(t, h, 4)

	bad := tinyConfig()
	bad.Heads = 3
	_, err = freshModel(t.Context(), bad, speech.Options{})
	assert.ErrorContains(t, err, "hidden_size 16 is no multiple of num_attention_heads 3")
	assert.Equal(t, fault.Usage, fault.KindOf(err))
}

// doubler is an adapter that doubles what some layers give.
type doubler struct {
	paths  []string
	adapts func(path string) bool
}

type doubled struct{ base nn.Linear }

func (d doubled) Forward(x *torch.Tensor) *torch.Tensor { return d.base.Forward(x).MulScalar(2) }

func (d *doubler) Param(_ *nn.Builder, _ string, p *torch.Tensor) *torch.Tensor { return p }
func (d *doubler) Finish(*nn.Builder)                                           {}

func (d *doubler) Wrap(_ *nn.Builder, path string, base nn.Layer) nn.Layer {
	d.paths = append(d.paths, path)
	if d.adapts(path) {
		return doubled{base}
	}
	return base
}

// TestView: every layer passes by the adapter and takes part in the result, and the base does not
// notice.
func TestView(t *testing.T) {
	m := variant(t, "base")
	base, err := m.HiddenStates(t.Context(), tone(2000), 3)
	require.NoError(t, err)
	all := &doubler{adapts: func(string) bool { return false }}
	plain := view(t, m, all)
	got, err := plain.HiddenStates(t.Context(), tone(2000), 3)
	require.NoError(t, err)
	assert.Equal(t, base, got)
	assert.Len(t, all.paths, 7+1+1+3*7+1+1+3*2, "convolutions and norm, projection, layers, norms")
	assert.Contains(t, all.paths, "feature_projection.projection")
	assert.Contains(t, all.paths, "encoder.layers.2.attention.gru_rel_pos_linear")
	for _, path := range all.paths {
		v := view(t, m, &doubler{adapts: func(p string) bool { return p == path }})
		got, err := v.HiddenStates(t.Context(), tone(2000), 3)
		require.NoError(t, err)
		if strings.HasSuffix(path, "layers.2.feed_forward.output_dense") || !strings.Contains(path, "k_proj") {
			assert.NotEqual(t, base, got, path)
		}
		v.Close() // has nothing of its own
	}
	again, err := m.HiddenStates(t.Context(), tone(2000), 3)
	require.NoError(t, err)
	assert.Equal(t, base, again)

	v, err := m.WithAdapter(t.Context())
	require.NoError(t, err)
	assert.Equal(t, m.Session(), v.Session())
	assert.Equal(t, m.Config, v.(*model).Config)
	assert.Empty(t, v.Adapted())
}

func TestNoGradientWithoutTraining(t *testing.T) {
	m := variant(t, "base")
	train(t, m, func(s *torch.Scope) {
		features := m.frontEnd.forward(s.FromFloat32(tone(2000), 1, 2000))
		assert.False(t, features.RequiresGrad(), "a frozen front end keeps nothing for a backward pass")
	})
}

func TestLoadOnContextOfClosure(t *testing.T) {
	noLeak(t)
	require.NoError(t, torch.Infer(t.Context(), func(s *torch.Scope) error {
		m, err := loadFolder(s.Context(), filepath.Join(goldens, "base"), speech.Options{})
		require.NoError(t, err)
		m.Close()
		return nil
	}))
}
