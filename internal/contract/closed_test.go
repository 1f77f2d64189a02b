package contract

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/brain/extract"
	"github.com/brainwavlm/bwlm/brain/ridge"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/peft"
	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/speech/pretrained"
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
	"wavlm: a view of a closed model": func(t *testing.T) error {
		m := load(t)
		a, err := peft.Load(adapter)
		require.NoError(t, err)
		defer a.Close()
		m.Close()
		return second(m.WithAdapter(t.Context(), a))
	},
	"wavlm: tensor mathematics": func(t *testing.T) error {
		m := load(t)
		m.Close()
		return m.Session().Infer(t.Context(), func(s *torch.Scope) error {
			m.FrontEnd(s.Zeros(1, len(audioOf)))
			return nil
		})
	},
	"wavlm: a training step": func(t *testing.T) error {
		m := load(t)
		m.Close()
		return m.Session().Train(t.Context(), 1, func(s *torch.Scope) error {
			m.Forward(m.FrontEnd(s.Zeros(1, len(audioOf))), 0, 1, speech.Pass{})
			return nil
		})
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
	a, err := peft.Load(adapter)
	require.NoError(t, err)
	defer a.Close()
	recording := filepath.Join(t.TempDir(), "a.wav")
	require.NoError(t, audio.WriteWAV(recording, audioOf, audio.Rate, audio.PCM16))
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	late, end := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer end()
	for want, ctx := range map[error]context.Context{context.Canceled: canceled, context.DeadlineExceeded: late} {
		for name, run := range map[string]func() error{
			"torch.Infer":     func() error { return torch.Infer(ctx, func(*torch.Scope) error { return nil }) },
			"HiddenStates":    func() error { return second(m.HiddenStates(ctx, audioOf, 1)) },
			"WithAdapter":     func() error { return second(m.WithAdapter(ctx, a)) },
			"Random":          func() error { return second(m.Random(ctx, speech.Options{})) },
			"Save":            func() error { return m.Save(ctx, t.TempDir()+"/model") },
			"wavlm.Load":      func() error { return second(wavlm.Load(ctx, model, speech.Options{})) },
			"pretrained.Open": func() error { return second(pretrained.Open(ctx, model, speech.Options{})) },
			"extract.OpenModel": func() error {
				return second(extract.OpenModel(ctx, model, adapter, speech.Options{}))
			},
			"audio.Load": func() error { return second(audio.Load(ctx, recording, audio.Options{})) },
			"ridge.Fit": func() error {
				x := audioOf[:200]
				return second(ridge.Fit(ctx, x, x, len(x), ridge.Options{}))
			},
		} {
			err := run()
			assert.ErrorIs(t, err, want, name)
			assert.Equal(t, fault.Interrupted, fault.KindOf(err), name)
		}
	}
}

// The end of a context in the middle of a forward pass gives the same error, and the model stays usable.
func TestAContextThatEndsInAForwardPass(t *testing.T) {
	m := load(t)
	defer m.Close()
	ctx, cancel := context.WithCancel(t.Context())
	err := m.Session().Infer(ctx, func(s *torch.Scope) error {
		x := m.FrontEnd(s.Zeros(1, len(audioOf)))
		cancel()
		m.Forward(x, 0, 1, speech.Pass{})
		return nil
	})
	assert.ErrorIs(t, err, context.Canceled)
	assert.Equal(t, fault.Interrupted, fault.KindOf(err))
	assert.NoError(t, second(m.HiddenStates(t.Context(), audioOf, 1)))
}

// A petabyte, if it were real: libtorch's allocator fails, and the model stays usable.
func TestAnAllocationThatFailsIsMemory(t *testing.T) {
	m := load(t)
	defer m.Close()
	for name, run := range map[string]func() error{
		"torch": func() error {
			return torch.Infer(t.Context(), func(s *torch.Scope) error { s.Zeros(1<<24, 1<<24); return nil })
		},
		"a model": func() error {
			return m.Session().Infer(t.Context(), func(s *torch.Scope) error {
				m.FrontEnd(s.Zeros(1, 1).Expand(1<<24, 1<<24))
				return nil
			})
		},
		"a training step": func() error {
			return m.Session().Train(t.Context(), 1, func(s *torch.Scope) error {
				m.FrontEnd(s.Zeros(1, 1).Expand(1<<24, 1<<24))
				return nil
			})
		},
	} {
		err := run()
		assert.ErrorIs(t, err, fault.ErrMemory, name)
		assert.Equal(t, fault.Memory, fault.KindOf(err), "%s: %v", name, err)
		assert.EqualValues(t, 71, fault.KindOf(err))
	}
	assert.NoError(t, second(m.HiddenStates(t.Context(), audioOf, 1)))
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
