package contract

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/extract"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
	"github.com/brainwavlm/bwlm/wavlm"
)

func TestMain(m *testing.M) { torchtest.Main(m) }

// audioOf is half a second of silence.
var audioOf = make([]float32, speech.SampleRate/2)

// closed are uses of an object after its Close. Predictors of finished runs are tested in brain/predict.
var closed = map[string]func(t *testing.T) error{
	"torch: a tensor of an arena": func(t *testing.T) error {
		arena := torch.NewArena()
		w := tensorOf(t, arena.Keep)
		arena.Close()
		return torch.Infer(t.Context(), func(s *torch.Scope) error { s.Attach(w); return nil })
	},
	"torch: an arena": func(t *testing.T) error {
		arena := torch.NewArena()
		arena.Close()
		return torch.Infer(t.Context(), func(s *torch.Scope) error { arena.Keep(s.Zeros(1)); return nil })
	},
	"nn: a parameter": func(t *testing.T) error {
		store := nn.NewStore()
		w := tensorOf(t, func(x *torch.Tensor) *torch.Tensor { return store.Add("w", x) })
		store.Close()
		session := nn.Session{Stores: []*nn.Store{store}}
		return session.Train(t.Context(), 1, func(s *torch.Scope) error { s.Attach(w).Sum().Backward(); return nil })
	},
	"nn: a store": func(t *testing.T) error {
		store := nn.NewStore()
		store.Close()
		return torch.Infer(t.Context(), func(s *torch.Scope) error {
			var l nn.Linear
			return store.Build(s, nn.Fresh{}, nil, func(b *nn.Builder) { b.Linear(&l, "l", 2, 2) })
		})
	},
	"wavlm: a model": func(t *testing.T) error {
		m := load(t)
		m.Close()
		return second(m.HiddenStates(t.Context(), audioOf, 1))
	},
	"wavlm: a view of a model": func(t *testing.T) error {
		m := load(t)
		a, view := adapted(t, m)
		defer a.Close()
		m.Close()
		return second(view.HiddenStates(t.Context(), audioOf, 1))
	},
	"peft: an adapter in a view": func(t *testing.T) error {
		m := load(t)
		defer m.Close()
		a, view := adapted(t, m)
		a.Close()
		return second(view.HiddenStates(t.Context(), audioOf, 1))
	},
	"peft: an adapter": func(t *testing.T) error {
		m := load(t)
		defer m.Close()
		a, _ := adapted(t, m)
		a.Close()
		return a.Save(t.TempDir() + "/adapter")
	},
	"wavlm: saving a model": func(t *testing.T) error {
		m := load(t)
		m.Close()
		return m.Save(t.Context(), t.TempDir()+"/model")
	},
	"extract: a speech model": func(t *testing.T) error {
		m, err := extract.OpenModel(t.Context(), model, adapter, speech.Options{})
		require.NoError(t, err)
		m.Close()
		return second(m.Model.HiddenStates(t.Context(), audioOf, 1))
	},
}

func TestUseAfterCloseMatchesErrClosed(t *testing.T) {
	for name, use := range closed {
		t.Run(name, func(t *testing.T) {
			err := use(t)
			require.ErrorIs(t, err, fault.ErrClosed)
			assert.Equal(t, fault.Unavailable, fault.KindOf(err), "%v", err)
		})
	}
}

// An operation that a context ends is Interrupted, in whatever package it was.
func TestAContextThatEndsIsInterrupted(t *testing.T) {
	m := load(t)
	defer m.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, run := range map[string]func() error{
		"torch.Infer":  func() error { return torch.Infer(ctx, func(*torch.Scope) error { return nil }) },
		"HiddenStates": func() error { return second(m.HiddenStates(ctx, audioOf, 1)) },
		"wavlm.Load":   func() error { return second(wavlm.Load(ctx, model, speech.Options{})) },
	} {
		err := run()
		assert.ErrorIs(t, err, context.Canceled, name)
		assert.Equal(t, fault.Interrupted, fault.KindOf(err), name)
	}
}

func tensorOf(t *testing.T, keep func(*torch.Tensor) *torch.Tensor) (w *torch.Tensor) {
	t.Helper()
	require.NoError(t, torch.Infer(t.Context(), func(s *torch.Scope) error { w = keep(s.Zeros(1)); return nil }))
	return w
}

func load(t *testing.T) speech.Encoder {
	t.Helper()
	m, err := wavlm.Load(t.Context(), model, speech.Options{})
	require.NoError(t, err)
	return m
}

// adapted returns an adapter and a view of m in which it is active.
func adapted(t *testing.T, m speech.Encoder) (*peft.Adapter, speech.Encoder) {
	t.Helper()
	a, err := peft.Load(adapter)
	require.NoError(t, err)
	view, err := m.WithAdapter(t.Context(), a)
	require.NoError(t, err)
	return a, view
}
