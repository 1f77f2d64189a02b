package peft

import (
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
)

var checkable = Config{Method: &LoRA{R: 3, Alpha: 7, Dropout: .5}, TargetModules: Targets("up", "down")}

// batch is a forward function for CheckTrains.
func (m *model) batch(s *torch.Scope) *torch.Tensor {
	return m.forward(s.FromFloat32(input(), 4, width))
}

func TestCheckTrainsRestoresTheAdapter(t *testing.T) {
	m := base(t)
	v, a := m.adapted(t, checkable)
	a.Store().Train(func(name string) bool { return name != "layers.1.up.lora_B.weight" })
	odd := pair(a.Layers()[0]).b.Float32s()
	odd[0], odd[1] = float32(math.Copysign(0, -1)), math.Float32frombits(1) // bits that arithmetic would lose
	require.NoError(t, torch.Infer(t.Context(), func(s *torch.Scope) error {
		pair(a.Layers()[0]).b.CopyFrom(s.FromFloat32(odd, pair(a.Layers()[0]).b.Shape()...))
		return nil
	}))
	bits, others := weights(a.Store()), weights(m.store)
	live := torch.Live()
	runs := 0
	require.NoError(t, a.CheckTrains(t.Context(), m.session(a), 1, func(s *torch.Scope) *torch.Tensor {
		assert.False(t, s.Mode().Dropout)
		runs++
		return v.batch(s)
	}))
	assert.Equal(t, 2, runs)
	assert.Equal(t, live, torch.Live())
	assert.Equal(t, bits, weights(a.Store()))
	assert.Equal(t, others, weights(m.store))
	for name, p := range a.Store().Params() {
		assert.False(t, p.HasGrad(), name)
		assert.Equal(t, name != "layers.1.up.lora_B.weight", p.RequiresGrad(), name)
	}
}

func TestLayersWithoutGradientAreListed(t *testing.T) {
	m := base(t)
	v, a := m.adapted(t, checkable)
	v.detached = true
	bits := weights(a.Store())
	err := a.CheckTrains(t.Context(), m.session(a), 1, v.batch)
	isFault(t, err, fault.BadData, "layers.2.up, layers.2.down: 2 of 6 adapted layers get no gradient")
	assert.Equal(t, bits, weights(a.Store()))

	// Layers that are not run at all.
	v.detached = false
	last := v.blocks[2]
	v.blocks = v.blocks[:2]
	// gradients arrive, but all are zero
	err = a.CheckTrains(t.Context(), m.session(a), 1, func(s *torch.Scope) *torch.Tensor {
		x := v.batch(s)
		return x.Add(last.down.Forward(last.up.Forward(x).Tanh()).MulScalar(0))
	})
	isFault(t, err, fault.BadData, "layers.2.up, layers.2.down: 2 of 6")
	v.blocks = v.blocks[:1]
	err = a.CheckTrains(t.Context(), m.session(a), 1, v.batch)
	isFault(t, err, fault.BadData, "layers.1.up, layers.1.down, layers.2.up, layers.2.down: 4 of 6")

	// A model that ignores the adapter altogether, as if it were the base: no gradient at all.
	err = a.CheckTrains(t.Context(), m.session(a), 1, m.batch)
	isFault(t, err, fault.BadData, "6 of 6")
	for name, p := range a.Store().Params() {
		assert.False(t, p.HasGrad(), name)
	}
}

// Gradients that were there before must not pass for new ones.
func TestOldGradientsDoNotCount(t *testing.T) {
	m := base(t)
	v, a := m.adapted(t, checkable)
	a.Store().Train(nil)
	require.NoError(t, m.session(a).Train(t.Context(), 1, func(s *torch.Scope) error {
		v.batch(s).Square().Sum().Backward()
		return nil
	}))
	require.True(t, pair(a.Layers()[0]).a.HasGrad())
	isFault(t, a.CheckTrains(t.Context(), m.session(a), 1, m.batch), fault.BadData, "6 of 6")
}

// An output that changes from one run to the next does not show that the adapter changes it.
func TestDropoutOfTheModelDoesNotCount(t *testing.T) {
	m := base(t)
	_, a := m.adapted(t, checkable)
	err := a.CheckTrains(t.Context(), m.session(a), 1,
		func(s *torch.Scope) *torch.Tensor { return m.batch(s).Dropout(.5) })
	isFault(t, err, fault.BadData, "6 of 6")
}

// A gradient is there, yet the output does not depend on it: x - x + y has one for x.
func TestAnOutputThatDoesNotChangeIsAnError(t *testing.T) {
	m := base(t)
	v, a := m.adapted(t, checkable)
	err := a.CheckTrains(t.Context(), m.session(a), 1, func(s *torch.Scope) *torch.Tensor {
		x := v.batch(s)
		return x.Sub(x.Detach())
	})
	isFault(t, err, fault.BadData, "the same with and without")
}

func TestParametersAreRestoredWhenTheCheckFails(t *testing.T) {
	m := base(t)
	v, a := m.adapted(t, checkable)
	bits := weights(a.Store())
	for name, forward := range map[string]func(*torch.Scope) *torch.Tensor{
		"torch's error": func(s *torch.Scope) *torch.Tensor { return v.batch(s).Reshape(7, 7) },
		"only in step 2": func(s *torch.Scope) *torch.Tensor {
			return v.batch(s).Reshape(map[bool]int{true: 1, false: 4}[s.Mode().Grad], -1)
		},
		"not finite": func(s *torch.Scope) *torch.Tensor { return v.batch(s).MulScalar(math.Inf(1)) },
	} {
		require.Error(t, a.CheckTrains(t.Context(), m.session(a), 1, forward), name)
		assert.Equal(t, bits, weights(a.Store()), name)
		for path, p := range a.Store().Params() {
			assert.False(t, p.RequiresGrad() || p.HasGrad(), "%s %s", name, path)
		}
	}
	boom := errors.New("boom")
	assert.Panics(t, func() {
		_ = a.CheckTrains(t.Context(), m.session(a), 1, func(s *torch.Scope) *torch.Tensor { panic(boom) })
	})
	assert.Equal(t, bits, weights(a.Store()))
	require.NoError(t, a.CheckTrains(t.Context(), m.session(a), 1, v.batch), "the lease is free again")
}

func TestAMergedAdapterCannotBeChecked(t *testing.T) {
	m := base(t)
	v, a := m.adapted(t, checkable)
	merged, err := Merge(t.Context(), m.session(a), a)
	require.NoError(t, err)
	isFault(t, a.CheckTrains(t.Context(), m.session(a), 1, v.batch), fault.Internal, "merged")
	require.NoError(t, merged.Unmerge(t.Context()))
}
