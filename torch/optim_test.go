package torch_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/brainwavlm/bwlm/torch"
)

// gradient gives w the gradient g.
func gradient(s *torch.Scope, w *torch.Tensor, g []float64) {
	torch.ClearGrad(w)
	w.Mul(s.FromFloat64(g, w.Shape()...).ToType(w.DType())).Sum().Backward()
}

// Where the gradient stays the same, Adam's corrected moments are g and g², whatever the betas:
// each step is lr·g/(|g|+eps).
func TestAdamWithAConstantGradient(t *testing.T) {
	const lr, eps, decay = .1, 1e-3, .01
	g, start := []float64{.5, -2, 1e-4, 0}, []float64{1, 2, -3, 4}
	train(t, 1, func(s *torch.Scope) {
		arena := torch.NewArena()
		defer arena.Close()
		for _, decoupled := range []bool{false, true} {
			w := s.FromFloat64(start, 4).RequireGrad(true)
			st := adamFor(s, arena, w)
			want := append([]float64(nil), start...)
			wd := 0.
			if decoupled {
				wd = decay
			}
			for range 20 {
				gradient(s, w, g)
				torch.AdamStep(st, lr, .9, .99, eps, wd, decoupled)
				for i := range want {
					want[i] -= lr*wd*want[i] + lr*g[i]/(math.Abs(g[i])+eps)
				}
			}
			// libtorch rounds the bias corrections
			assert.InDeltaSlice(t, want, w.Detach().Float64s(), 1e-6, "decoupled %v", decoupled)
			assert.Equal(t, 20., st.Steps[0].Item())
		}
	})
}

// Plain Adam adds the decay to the gradient: the first step is lr·sign(g + decay·w).
func TestAdamCoupledDecay(t *testing.T) {
	train(t, 1, func(s *torch.Scope) {
		arena := torch.NewArena()
		defer arena.Close()
		w := s.FromFloat64([]float64{1, -4}, 2).RequireGrad(true)
		gradient(s, w, []float64{-.5, 3})
		torch.AdamStep(adamFor(s, arena, w), .1, .9, .99, 0, 1, false)
		assert.InDeltaSlice(t, []float64{.9, -3.9}, w.Detach().Float64s(), 1e-7)
	})
}

func TestAdamPassesOverWhatHasNoGradient(t *testing.T) {
	train(t, 1, func(s *torch.Scope) {
		arena := torch.NewArena()
		defer arena.Close()
		a, b := s.FromFloat64([]float64{1}, 1).RequireGrad(true), s.Full(2, 1).RequireGrad(true) // of two types
		st := adamFor(s, arena, a, b)
		gradient(s, a, []float64{1})
		torch.AdamStep(st, .1, .9, .99, 0, 1, true)
		assert.Equal(t, []float32{2}, b.Detach().Float32s())
		assert.Zero(t, st.Steps[1].Item())
		gradient(s, b, []float64{1})
		torch.AdamStep(st, .1, .9, .99, 0, 0, true)
		assert.InDelta(t, 1.9, b.Item(), 1e-6)
	})
}

// A weight that is a column of a matrix: its elements are not neighbours in memory, which the fused
// step would assume.
func TestAdamOfAView(t *testing.T) {
	train(t, 1, func(s *torch.Scope) {
		arena := torch.NewArena()
		defer arena.Close()
		matrix := arena.Keep(s.Zeros(3, 2))
		w := s.Attach(matrix).Select(1, 1).RequireGrad(true)
		gradient(s, w, []float64{1, -1, 1})
		torch.AdamStep(adamFor(s, arena, w), .1, .9, .99, 0, 0, false)
		assert.InDeltaSlice(t, []float32{0, -.1, 0, .1, 0, -.1}, matrix.Float32s(), 1e-7)
	})
}

func TestAdamRefusesStateThatDoesNotFit(t *testing.T) {
	for want, spoil := range map[string]func(s *torch.Scope, st *torch.AdamState){
		"a moment of parameter 1": func(s *torch.Scope, st *torch.AdamState) { st.First[1] = s.Zeros(3) },
		"moment of parameter 1": func(s *torch.Scope, st *torch.AdamState) {
			st.Second[1] = s.ZerosOf(torch.Float64,
				2)
		},
		"of parameter 1":     func(s *torch.Scope, st *torch.AdamState) { st.Second[1] = s.Zeros(1).Expand(2) },
		"the step count":     func(s *torch.Scope, st *torch.AdamState) { st.Steps[1] = s.Zeros(1) },
		"1 tensors of state": func(s *torch.Scope, st *torch.AdamState) { st.Steps = st.Steps[:1] },
	} {
		noLeak(t)
		arena := torch.NewArena()
		var a *torch.Tensor
		err := torch.Train(t.Context(), 1, func(s *torch.Scope) error {
			a = arena.Keep(s.Zeros(2)).RequireGrad(true)
			b := s.Zeros(2).RequireGrad(true)
			gradient(s, s.Attach(a), []float64{1, 1})
			gradient(s, b, []float64{1, 1})
			st := adamFor(s, arena, a, b)
			spoil(s, &st)
			torch.AdamStep(st, .1, .9, .99, 0, 0, false)
			return nil
		})
		assert.ErrorContains(t, err, want)
		assert.Equal(t, []float32{0, 0}, a.Float32s(), "no parameter has changed")
		arena.Close()
	}
}
