package peft

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// An adapter that has its own copy of a bias and adds to it, too: merged, all of that is in the
// base, once.
func TestOwnBiasesAndAdditionsMerge(t *testing.T) {
	m := base(t)
	v, a := m.adapted(t, Config{Method: &LoRA{R: 3, Alpha: 7, BiasB: true}, TargetModules: Targets("up"), Bias: BiasAll,
		ModulesToSave: []string{"1.down"}})
	plain, tuned, bits := m.output(t), v.output(t), weights(m.store)
	assert.Greater(t, furthest(t, plain, tuned), .1)
	x, err := Merge(t.Context(), m.session(a), a)
	require.NoError(t, err)
	assert.Less(t, furthest(t, tuned, m.output(t)), 2e-6, "the base")
	assert.Less(t, furthest(t, tuned, v.output(t)), 2e-6, "the view")
	require.NoError(t, x.Unmerge(t.Context()))
	assert.Equal(t, bits, weights(m.store))
	assert.Equal(t, tuned, v.output(t))
}

func TestTwoCopiesOfOneParameterAreRefused(t *testing.T) {
	m := base(t)
	var two [2]*Adapter
	for i := range two {
		_, two[i] = m.adapted(t, Config{Method: &BitFit{}})
	}
	err := torch.Infer(t.Context(), func(s *torch.Scope) error {
		return m.store.Build(s, nil, nn.Stack(two[0], two[1]), func(b *nn.Builder) { newModel(b) })
	})
	assert.ErrorContains(t, err, "two adapters have their own copy of it")
	for _, a := range two {
		a.problems = nil
	}
	_, err = Merge(t.Context(), m.session(two[0]), two[:]...)
	isFault(t, err, fault.BadData, "another adapter has changed it")
}

// PEFT before 0.20 did not save the biases of lora_only (huggingface/peft#3306).
func TestBiasesThatPEFTLost(t *testing.T) {
	m := base(t)
	a, err := Load(folder(t, config("bias", `"lora_only"`), ups(prefix)...))
	require.NoError(t, err)
	v, err := m.view(t, a)
	require.NoError(t, err)
	require.NoError(t, a.Check())
	require.Len(t, a.Warnings(), 1)
	assert.Contains(t, a.Warnings()[0], "huggingface/peft#3306")
	b, err := Load(folder(t, config(), ups(prefix)...))
	require.NoError(t, err)
	w, err := m.view(t, b)
	require.NoError(t, err)
	assert.Equal(t, w.output(t), v.output(t))
}

// The bias of an adapted layer may also stand under its own name.
func TestBiasesUnderTheNameOfTheModel(t *testing.T) {
	m := base(t)
	var outputs [][]float32
	for _, end := range []string{"base_layer.bias", "bias"} {
		tensors := ups(prefix)
		for _, layer := range []string{"0", "1", "2"} {
			tensors = append(tensors, ckpt.NewTensor(prefix+"layers."+layer+".up."+end, []int{inner},
				make([]float32, inner)))
		}
		a, err := Load(folder(t, config("bias", `"lora_only"`), tensors...))
		require.NoError(t, err)
		v, err := m.view(t, a)
		require.NoError(t, err)
		require.NoError(t, a.Check())
		assert.Empty(t, a.Warnings())
		outputs = append(outputs, v.output(t))
	}
	assert.Equal(t, outputs[0], outputs[1])
}

// A and B of VeRA are one for all layers, as large as the largest needs, with the variance
// 2/fan_in, and are never trained.
func TestProjectionsOfVeRA(t *testing.T) {
	m := base(t)
	_, a := m.adapted(t, Config{Method: &VeRA{R: 200}, TargetModules: Targets("all-linear")})
	for _, name := range names(a.Store()) {
		assert.NotContains(t, name, "vera_A")
	}
	for name, shape := range map[string][]int{"base_model.vera_A": {200, inner}, "base_model.vera_B": {inner, 200}} {
		p := a.frozen.Param(name)
		require.NotNil(t, p, name)
		assert.Equal(t, shape, p.Shape())
		assert.False(t, p.RequiresGrad())
		sum := 0.
		for _, v := range p.Float32s() {
			sum += float64(v) * float64(v)
		}
		sd := math.Sqrt(2 / float64(shape[1]))
		assert.InDelta(t, sd, math.Sqrt(sum/float64(p.Len())), .1*sd)
	}
	assert.Equal(t, float32(.1), newVeRA(t, m).Store().Param("layers.0.up.vera_lambda_d").Float32s()[0])
}

func newVeRA(t *testing.T, m *model) *Adapter {
	t.Helper()
	a, err := New(Config{Method: &VeRA{R: 2}, TargetModules: Targets("up")})
	require.NoError(t, err)
	_, err = m.view(t, a)
	require.NoError(t, err)
	return a
}
