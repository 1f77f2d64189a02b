package wavlm

import (
	"context"
	"errors"
	"math"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// Model is a speech encoder: a front end and an encoder over the parameters of a store. It may be used by several
// goroutines, each in a closure of its own; training is alone (see [Model.Session]).
type Model struct {
	Config       Config
	Preprocessor Preprocessor
	FrontEnd     *FrontEnd
	Encoder      *Encoder
	Notes        []string // what the user should know about how the model was read
	Unused       []string // tensors of the checkpoint that belong to a task's head

	session nn.Session
	closes  bool // the store goes with this model
	oldKeys bool // the checkpoint spells the weight norm in the old way
	shared  int  // hidden states in common with the model under a view
}

// Options say how a model is held.
type Options struct {
	Device    torch.Device
	Compute   torch.DType // in which linear layers multiply; the zero value is Float32
	Seed      uint64      // of weights that are not read
	AnyValues bool        // accept a checkpoint with NaN, infinite or all-zero weights
	// Frozen says that the weights will not be trained: the matrices of the layers are then kept in the type in which
	// they multiply, where that is narrower.
	Frozen bool
}

func (o Options) mode() torch.Mode {
	return torch.Mode{Seed: o.Seed, Device: o.Device, Compute: o.Compute}
}

// New builds a model within a construction, to be given to nn.Store.Build. Its parameters have the names of Hugging
// Face's state_dict.
func New(b *nn.Builder, cfg Config) *Model {
	if bad := cfg.problems(); len(bad) > 0 {
		for _, p := range bad {
			b.Problem("%s: %s", configFile, p)
		}
		return nil
	}
	m := &Model{Config: cfg, Preprocessor: defaultPreprocessor(cfg), shared: cfg.Layers + 1}
	m.FrontEnd, m.Encoder = newFrontEnd(b, cfg), newEncoder(b, cfg)
	mode := b.Scope().Mode()
	m.session = nn.Session{Stores: []*nn.Store{b.Store()}, Device: mode.Device, Compute: mode.Compute}
	return m
}

// Fresh makes a model with random weights, which Close frees.
func Fresh(ctx context.Context, cfg Config, opt Options) (m *Model, err error) {
	store := nn.NewStore()
	err = torch.Do(ctx, opt.mode(), func(s *torch.Scope) error {
		if err := store.Build(s, nn.Fresh{}, nil, func(b *nn.Builder) { m = New(b, cfg) }); err != nil {
			return err
		}
		return m.narrow(s, opt)
	})
	if err != nil {
		store.Close()
		return nil, asFault(fault.Usage, "make a model", "", err)
	}
	m.closes = true
	return m, nil
}

// narrow keeps the layers' matrices as opt says. It goes matrix by matrix, so that no second copy of all is made.
func (m *Model) narrow(s *torch.Scope, opt Options) error {
	if !opt.Frozen || opt.Compute == torch.Float32 {
		return nil
	}
	for _, l := range m.Encoder.layers {
		err := torch.Infer(s.Context(), func(s *torch.Scope) error { l.narrow(s, opt.Compute); return nil })
		if err != nil {
			return err
		}
	}
	return nil
}

// View is a second model over the same weights, with adapter (may be nil) in its linear layers. It is cheap, and
// neither model sees the other. Stores are those that the adapter's own parameters are in; the view's Session holds
// them too. The view ends with m.
func (m *Model) View(s *torch.Scope, adapter nn.Adapter, stores ...*nn.Store) (*Model, error) {
	var v *Model
	reach := &lowest{adapter, m.Config.Layers + 1}
	if adapter != nil {
		adapter = reach
	}
	err := m.Store().Build(s, nil, adapter, func(b *nn.Builder) { v = New(b, m.Config) })
	if err != nil {
		return nil, asFault(fault.BadData, "adapt a model", "", err)
	}
	v.Preprocessor, v.Notes, v.Unused, v.oldKeys = m.Preprocessor, m.Notes, m.Unused, m.oldKeys
	v.session, v.shared = m.session, reach.shared
	v.session.Stores = append([]*nn.Store{m.Store()}, stores...)
	return v, nil
}

// Store holds the parameters, without those of adapters.
func (m *Model) Store() *nn.Store { return m.session.Stores[0] }

// Session runs closures over the model's parameters on its device.
func (m *Model) Session() *nn.Session { return &m.session }

// Close frees the weights of a model from Load or Fresh; a view has none of its own.
func (m *Model) Close() {
	if m.closes {
		m.Store().Close()
	}
}

// HiddenStates runs one waveform of any length through the model, after the model's own preprocessing, and gives the
// hidden states of the given layers, all if none is named, each with T rows of Config.Hidden numbers, where T is
// Config.Frames(len(samples)). The last layer is given before the encoder's final norm.
func (m *Model) HiddenStates(ctx context.Context, samples []float32, layers ...int) ([][]float32, error) {
	const what = "hidden states"
	if n := m.Config.MinSamples(); len(samples) < n {
		return nil, fault.New(fault.BadData, what, "", "the audio has %d samples, want at least %d (%g s)", len(samples), n, float64(n)/SampleRate)
	}
	for i, x := range samples {
		if x := float64(x); math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, fault.New(fault.BadData, what, "", "sample %d is %g", i, x)
		}
	}
	if len(layers) == 0 {
		for l := range m.Config.Layers + 1 {
			layers = append(layers, l)
		}
	}
	last := 0
	for _, l := range layers {
		if l < 0 || l > m.Config.Layers {
			return nil, fault.New(fault.Usage, what, "", "there is no layer %d, the model has 0 to %d", l, m.Config.Layers)
		}
		last = max(last, l)
	}
	out := make([][]float32, len(layers))
	err := m.session.Infer(ctx, func(s *torch.Scope) error {
		wave := s.FromFloat32(m.Preprocessor.Apply(samples), 1, len(samples)) // (1, S)
		hidden := m.Encoder.Forward(m.FrontEnd.Forward(wave), last, Pass{})
		for i, l := range layers {
			out[i] = hidden[l].Float32s()
		}
		return nil
	})
	if err != nil {
		return nil, asFault(fault.Internal, what, "", err)
	}
	return out, nil
}

// asFault gives err a kind, unless it has one or says that the context ended.
func asFault(kind fault.Kind, what, where string, err error) error {
	var f *fault.Error
	if errors.As(err, &f) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var t *torch.Error
	if errors.As(err, &t) {
		kind = fault.Internal
		if t.OutOfMemory {
			kind = fault.Memory
		}
	}
	return fault.Wrap(kind, what, where, err)
}
