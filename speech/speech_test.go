package speech_test

import (
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/acoustic"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
	"github.com/brainwavlm/bwlm/wavlm"
)

func TestMain(m *testing.M) { torchtest.Main(m) }

// small is a model with random weights, freed after the test.
func small(t *testing.T) speech.Encoder {
	t.Helper()
	c := wavlm.Default(wavlm.WavLM)
	c.Hidden, c.Layers, c.Heads, c.Inner, c.PosKernel, c.PosGroups = 16, 3, 2, 32, 8, 2
	c.ConvWidth = []int{8, 8, 8, 8, 8, 8, 8}
	m, err := wavlm.Fresh(t.Context(), c, speech.Options{Seed: 1, Device: torchtest.Device()})
	require.NoError(t, err)
	t.Cleanup(m.Close)
	return m
}

// Frames of convolutions without padding are centred on their samples; those of Whisper, whose
// spectrogram and convolutions pad (400 samples every 160, kernels of 3, the second with stride 2),
// on multiples of the hop.
func TestTimesOfFrames(t *testing.T) {
	convolutions := wavlm.Default(wavlm.WavLM).Geometry().Architecture()
	assert.Equal(t, speech.Architecture{Family: "wavlm", Layers: 12, Width: 768, MinSamples: 400, Hop: 320, Field: 400},
		convolutions)
	spectrogram := speech.Architecture{Hop: 320, Field: 1040, Offset: -520}
	for i := range 2000 {
		assert.Equal(t, acoustic.Time(i), convolutions.Time(i))
		assert.Equal(t, float64(i)/50, spectrogram.Time(i))
		for _, a := range []speech.Architecture{convolutions, spectrogram} {
			assert.Equal(t, i, a.Nearest(a.Time(i)))
			assert.Equal(t, i, a.Nearest(a.Time(i)+.0099))
			assert.Equal(t, i+1, a.Nearest(a.Time(i)+.0101))
		}
	}
	assert.Equal(t, acoustic.Nearest(-1), convolutions.Nearest(-1))
}

func TestNormalise(t *testing.T) {
	x := speech.Normalise([]float32{1, 2, 3, 6})
	mean, square := 0., 0.
	for _, v := range x {
		mean, square = mean+float64(v)/4, square+float64(v)*float64(v)/4
	}
	assert.InDelta(t, 0, mean, 1e-7)
	assert.InDelta(t, 1, square, 1e-6)
	assert.Equal(t, []float32{0, 0}, speech.Normalise([]float32{.25, .25}), "silence")
}

// A new adapter is drawn with its own seed, whatever was drawn before.
func TestViewsAreDrawnWithTheAdaptersSeed(t *testing.T) {
	m := small(t)
	draw := func(seed uint64) []float32 {
		a, err := peft.New(peft.Config{
			Method: &peft.LoRA{R: 2, Alpha: 2}, TargetModules: peft.Targets(m.Targets(speech.TargetsAuto)...),
			Seed: seed,
		})
		require.NoError(t, err)
		defer a.Close()
		v, err := m.WithAdapter(t.Context(), a)
		require.NoError(t, err)
		assert.Equal(t, []*nn.Store{m.Store(), a.Store()}, v.Session().Stores)
		return a.Store().Param("encoder.layers.0.attention.q_proj.lora_A.weight").Float32s()
	}
	assert.Equal(t, draw(3), draw(3))
	assert.NotEqual(t, draw(3), draw(4))
}

// scaled is an adapter that scales the output of the layer at a path.
type scaled struct {
	path   string
	factor float64
	err    error
}

type scaling struct {
	nn.Layer
	factor float64
}

func (l scaling) Forward(x *torch.Tensor) *torch.Tensor {
	return l.Layer.Forward(x).MulScalar(l.factor)
}

func (a scaled) Stores() []*nn.Store { return nil }
func (a scaled) Seed() uint64        { return 0 }
func (a scaled) Check() error        { return a.err }
func (a scaled) Finish(*nn.Builder)  {}

func (a scaled) Param(_ *nn.Builder, _ string, p *torch.Tensor) *torch.Tensor { return p }

func (a scaled) Wrap(_ *nn.Builder, path string, base nn.Layer) nn.Layer {
	if path == a.path {
		return scaling{base, a.factor}
	}
	return base
}

func TestSeveralAdaptersAreActive(t *testing.T) {
	m := small(t)
	layers := m.LinearLayers()
	one, two := layers[len(layers)-1], layers[0]
	sound := make([]float32, 4000)
	for i := range sound {
		sound[i] = float32(math.Sin(float64(i) / 3))
	}
	read := func(e speech.Encoder) []float32 {
		h, err := e.HiddenStates(t.Context(), sound, m.Architecture().Layers)
		require.NoError(t, err)
		return h[0].Data
	}
	view := func(adapters ...speech.Adapter) speech.Encoder {
		v, err := m.WithAdapter(t.Context(), adapters...)
		require.NoError(t, err)
		return v
	}
	plain := read(m)
	assert.Equal(t, plain, read(view()))
	both := view(scaled{path: one, factor: 3}, scaled{path: two, factor: 2})
	assert.ElementsMatch(t, []string{one, two}, both.Adapted())
	assert.NotEqual(t, read(view(scaled{path: one, factor: 3})), read(both))
	assert.Equal(t, read(view(scaled{path: one, factor: 4})),
		read(view(scaled{path: one, factor: 2}, scaled{path: one, factor: 2})))
	assert.Equal(t, plain, read(m), "the encoder itself does not change")

	_, err := both.WithAdapter(t.Context())
	require.NoError(t, err)
	assert.Equal(t, plain, read(view()), "a view of a view has its own adapters alone")
	unfit := errors.New("does not fit")
	_, err = m.WithAdapter(t.Context(), scaled{}, scaled{err: unfit})
	assert.ErrorIs(t, err, unfit)
}

// An error of a family keeps its kind, the end of a context is no fault, and others get a kind.
func TestAsFault(t *testing.T) {
	kept := fault.New(fault.Missing, "read", "x", "is not there")
	assert.Same(t, kept, speech.AsFault(fault.BadData, "load", "y", kept))
	assert.Equal(t, fault.Memory, fault.KindOf(speech.AsFault(fault.BadData, "load", "",
		&torch.Error{OutOfMemory: true})))
	assert.Equal(t, fault.Internal, fault.KindOf(speech.AsFault(fault.BadData, "load", "", &torch.Error{})))
	assert.Equal(t, fault.BadData, fault.KindOf(speech.AsFault(fault.BadData, "load", "", errors.New("odd"))))
}
