package wavlm

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

// model is a speech encoder, see [speech.Encoder]: a convolutional front end and a transformer over
// the parameters of a store.
type model struct {
	geometry

	frontEnd     *frontEnd
	encoder      *encoder
	preprocessor preprocessor
	notes        []string
	unused       []string // tensors of the checkpoint that belong to a task's head

	session nn.Session
	adapted []string        // layers and parameters that a view's adapters replace
	closes  bool            // the store goes with this model
	origin  *hfmodel.Origin // nil in a model that is not from a folder
	oldKeys bool            // the checkpoint has the old names of the weight norm
}

// newModel builds a model within a construction, to be given to nn.Store.Build. Its parameters have
// the names of Hugging Face's state_dict.
func newModel(b *nn.Builder, cfg Config) *model {
	if bad := cfg.problems(); len(bad) > 0 {
		for _, p := range bad {
			b.Problem("%s: %s", configFile, p)
		}
		return nil
	}
	m := &model{geometry: geometry{cfg}, preprocessor: defaultPreprocessor(cfg)}
	m.frontEnd, m.encoder = newFrontEnd(b, cfg), newEncoder(b, cfg)
	mode := b.Scope().Mode()
	m.session = nn.Session{Stores: []*nn.Store{b.Store()}, Device: mode.Device, Compute: mode.Compute}
	return m
}

// Fresh returns a model with random weights, which Close frees.
func Fresh(ctx context.Context, cfg Config, opt speech.Options) (speech.Encoder, error) {
	m, err := freshModel(ctx, cfg, opt)
	if err != nil {
		return nil, err
	}
	return m, nil
}

func freshModel(ctx context.Context, cfg Config, opt speech.Options) (m *model, err error) {
	store := nn.NewStore()
	err = torch.Do(ctx, opt.Mode(), func(s *torch.Scope) error {
		build := func(b *nn.Builder) { m = newModel(b, cfg) }
		if err := store.Build(s, nn.Fresh{}, nil, build); err != nil {
			return err
		}
		return m.narrow(s, opt)
	})
	if err != nil {
		store.Close()
		return nil, speech.AsFault(fault.Usage, "make a model", "", err)
	}
	m.closes = true
	return m, nil
}

// Random returns a model of the same architecture with random weights.
func (m *model) Random(ctx context.Context, opt speech.Options) (speech.Encoder, error) {
	fresh, err := freshModel(ctx, m.Config, opt)
	if err != nil {
		return nil, err
	}
	fresh.preprocessor = m.preprocessor
	return fresh, nil
}

// narrow holds the layers' matrices in the compute type if opt allows it.
func (m *model) narrow(s *torch.Scope, opt speech.Options) error {
	var layers [][]nn.Linear
	for _, l := range m.encoder.layers {
		layers = append(layers, l.linears())
	}
	return hfmodel.Narrow(s, opt, layers)
}

// WithAdapter returns a view of the model over the same weights in which the adapters are active,
// and no others.
func (m *model) WithAdapter(ctx context.Context, adapters ...speech.Adapter) (speech.Encoder, error) {
	var v *model
	build := func(b *nn.Builder) { v = newModel(b, m.Config) }
	view, err := speech.BuildView(ctx, &m.session, m.Identity, adapters, build)
	if err != nil {
		return nil, err
	}
	v.preprocessor, v.notes, v.unused, v.oldKeys = m.preprocessor, m.notes, m.unused, m.oldKeys
	v.session, v.adapted, v.origin = view.Session, view.Adapted, m.origin
	return v, nil
}

// Adapted returns the names of the layers and parameters that the view's adapters replace.
func (m *model) Adapted() []string { return slices.Clone(m.adapted) }

// FrontEnd returns the frames (B, T, C) of waveforms (B, S), T = Frames(S) being at least 1. Clips
// of a batch are padded on the right.
func (m *model) FrontEnd(wave *torch.Tensor) *torch.Tensor { return m.frontEnd.forward(wave) }

// Forward returns the hidden states max(depth-1, 0) to upTo, each (B, T, E), of frames x (B, T, C)
// at a depth. Where depth is above 0, p.MaskTime has no effect, and a last state that is x itself
// is never after the final norm. A layer that layer drop skips returns its input.
func (m *model) Forward(x *torch.Tensor, depth, upTo int, p speech.Pass) []*torch.Tensor {
	if depth == 0 {
		return m.encoder.forward(x, upTo, p)
	}
	return m.encoder.forwardFrom(x, depth-1, upTo, p)
}

// HiddenStates returns the hidden states of the given layers, all if there is none, of one
// recording in one pass: a matrix (Frames, Hidden) each.
func (m *model) HiddenStates(
	ctx context.Context, samples []float32, layers ...int,
) ([]npy.Matrix, error) {
	return speech.HiddenStates(ctx, m, samples, layers...)
}

// Notes returns what the user should know about how the model was read.
func (m *model) Notes() []string { return slices.Clone(m.notes) }

// Store holds the parameters, without those of adapters.
func (m *model) Store() *nn.Store { return m.session.Stores[0] }

// Session runs closures over the model's parameters on its device.
func (m *model) Session() *nn.Session { return &m.session }

// Close frees the weights of a model from Load or Fresh. A view has none of its own.
func (m *model) Close() {
	if m.closes {
		m.Store().Close()
	}
}
