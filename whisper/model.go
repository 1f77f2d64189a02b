package whisper

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/hfmodel"
	"github.com/brainwavlm/bwlm/npy"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

var _ speech.Encoder = (*model)(nil)

// model is a Whisper encoder, see [speech.Encoder].
type model struct {
	geometry

	spectrogram *spectrogram
	encoder     *encoder
	notes       []string
	extractor   []byte // preprocessor_config.json as read; nil if there was none

	session nn.Session
	adapted []string // layers and parameters that a view's adapters replace
	closes  bool     // the store goes with this model
	prefix  string   // of the encoder's keys in the checkpoint
	origin  *hfmodel.Origin
}

// newModel builds a model within a construction. Its parameters have the names of Hugging Face's encoder.
func newModel(b *nn.Builder, cfg config, context speech.Context) *model {
	m := &model{geometry: geometry{cfg, context}, spectrogram: newSpectrogram(cfg.mels), prefix: standardPrefix}
	m.encoder = newEncoder(b, cfg)
	mode := b.Scope().Mode()
	m.session = nn.Session{Stores: []*nn.Store{b.Store()}, Device: mode.Device, Compute: mode.Compute}
	return m
}

// Random returns a model of the same architecture with random weights.
func (m *model) Random(ctx context.Context, opt speech.Options) (speech.Encoder, error) {
	fresh, err := build(ctx, nn.Fresh{}, m.config, opt, func() error { return nil })
	if err != nil {
		return nil, speech.AsFault(fault.Usage, "make a model", "", err)
	}
	fresh.extractor, fresh.prefix = m.extractor, m.prefix
	return fresh, nil
}

// build makes a model of a source of parameters, which check judges.
func build(ctx context.Context, src nn.Source, cfg config, opt speech.Options, check func() error) (*model, error) {
	store := nn.NewStore()
	var m *model
	err := torch.Do(ctx, opt.Mode(), func(s *torch.Scope) error {
		if err := store.Build(s, src, nil, func(b *nn.Builder) { m = newModel(b, cfg, opt.Context) }); err != nil {
			return err
		}
		if err := check(); err != nil {
			return err
		}
		return m.narrow(s, opt)
	})
	if err != nil {
		store.Close()
		return nil, err
	}
	m.closes = true
	return m, nil
}

// narrow holds the layers' matrices in the compute type if opt allows it.
func (m *model) narrow(s *torch.Scope, opt speech.Options) error {
	var layers [][]nn.Linear
	for _, l := range m.encoder.layers {
		layers = append(layers, l.linears())
	}
	return hfmodel.Narrow(s, opt, layers)
}

// WithAdapter returns a view of the model over the same weights in which the adapters are active, and no others.
func (m *model) WithAdapter(ctx context.Context, adapters ...speech.Adapter) (speech.Encoder, error) {
	var v *model
	view, err := speech.BuildView(ctx, &m.session, m.Identity, adapters,
		func(b *nn.Builder) { v = newModel(b, m.config, m.context) })
	if err != nil {
		return nil, err
	}
	v.notes, v.extractor, v.prefix, v.origin = m.notes, m.extractor, m.prefix, m.origin
	v.session, v.adapted = view.Session, view.Adapted
	return v, nil
}

// Adapted returns the names of the layers and parameters that the view's adapters replace.
func (m *model) Adapted() []string { return slices.Clone(m.adapted) }

// FrontEnd returns the log-mel frames (B, T, M) of waveforms (B, S), padded as the context says.
func (m *model) FrontEnd(wave *torch.Tensor) *torch.Tensor {
	samples := wave.Dim(1)
	if m.Frames(samples) < 1 {
		torch.Failf("whisper front end", "a waveform of %d samples is too short, want at least %d", samples, minSamples)
	}
	if most := m.positions * hop; samples/hop > m.positions {
		torch.Failf("whisper front end", "a clip of %g s, the model hears at most %g s: read it in windows",
			float64(samples)/speech.SampleRate, float64(most)/speech.SampleRate)
	}
	defer wave.Scope().Part(speech.PartFrontEnd)()
	if n := m.padded(samples); n > samples {
		wave = torch.Cat(1, wave, wave.Scope().Zeros(wave.Dim(0), n-samples).ToType(wave.DType()))
	}
	mel := m.spectrogram.forward(wave)
	frames, _ := m.FrameShape(0, samples) // an odd last frame belongs to no hidden state
	return mel.Narrow(1, 0, frames).Contiguous()
}

// Forward returns the hidden states max(depth-1, 0) to upTo, each (B, T, E), of frames x at a depth.
func (m *model) Forward(x *torch.Tensor, depth, upTo int, p speech.Pass) []*torch.Tensor {
	if depth > 0 {
		return m.encoder.run(x, depth-1, upTo, p)
	}
	embedding := x.Scope().Part(speech.PartEmbedding)
	h := x.Scoped(func(x *torch.Tensor) *torch.Tensor { return m.encoder.embed(x, p) })
	embedding()
	return m.encoder.run(h, 0, upTo, p)
}

// HiddenStates returns the hidden states of the given layers, all if there is none, of one recording.
func (m *model) HiddenStates(ctx context.Context, samples []float32, layers ...int) ([]npy.Matrix, error) {
	if most := m.positions * hop; len(samples)/hop > m.positions {
		return nil, fault.New(fault.BadData, "hidden states", "", "the recording has %.4g s, the model hears %.4g s",
			float64(len(samples))/speech.SampleRate, float64(most)/speech.SampleRate).
			WithHint("read it in windows")
	}
	return speech.HiddenStates(ctx, m, samples, layers...)
}

// Normalisation allows auto and none: Whisper hears the waveform as it is.
func (m *model) Normalisation(n speech.Normalisation) (speech.Normalisation, error) {
	switch n {
	case speech.NormaliseAuto, speech.NormaliseNone:
		return speech.NormaliseNone, nil
	}
	return "", fault.New(fault.Usage, "open model", "normalise",
		"%q, want auto or none: a Whisper hears the waveform as it is", n)
}

// Notes returns what the user should know about how the model was read.
func (m *model) Notes() []string { return slices.Clone(m.notes) }

// Store holds the parameters, without those of adapters.
func (m *model) Store() *nn.Store { return m.session.Stores[0] }

// Session runs closures over the model's parameters on its device.
func (m *model) Session() *nn.Session { return &m.session }

// Close frees the weights of a model that was loaded or made. A view has none of its own.
func (m *model) Close() {
	if m.closes {
		m.Store().Close()
	}
}
