package peft

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// byHand is W x + b + s·B(A x) in Float64 loops.
func byHand(x, w, b, am, bm []float32, in, out, rank int, scale float64) []float32 {
	var y []float32
	for n := range len(x) / in {
		low := make([]float64, rank)
		for r := range rank {
			for i := range in {
				low[r] += float64(am[r*in+i]) * float64(x[n*in+i])
			}
		}
		for o := range out {
			sum := float64(b[o])
			for i := range in {
				sum += float64(w[o*in+i]) * float64(x[n*in+i])
			}
			for r := range rank {
				sum += scale * float64(bm[o*rank+r]) * low[r]
			}
			y = append(y, float32(sum))
		}
	}
	return y
}

func TestForwardIsTheFormula(t *testing.T) {
	for _, c := range []struct {
		cfg   Config
		scale float64
	}{
		{Config{Method: &LoRA{R: 3, Alpha: 7}, TargetModules: Targets("up")}, 7. / 3},
		{Config{Method: &LoRA{R: 3, Alpha: 7, RSLoRA: true}, TargetModules: Targets("up")}, 7 / math.Sqrt(3)},
		// more than the layer's rank can be
		{Config{Method: &LoRA{R: 16, Alpha: 5}, TargetModules: Targets("up")}, 5. / 16},
	} {
		m := base(t)
		_, a := m.adapted(t, c.cfg)
		l, rank := a.Layers()[1], c.cfg.Method.(*LoRA).R
		assert.Equal(t, "layers.1.up", l.Path)
		assert.InDelta(t, c.scale, pair(l).scale, 1e-15)
		x := input()
		want := byHand(x, dense(l).Weight.Float32s(), dense(l).Bias.Float32s(), pair(l).a.Float32s(),
			pair(l).b.Float32s(), width, inner, rank, c.scale)
		require.NoError(t, torch.Infer(t.Context(), func(s *torch.Scope) error {
			xs := s.FromFloat32(x, 2, 2, width)
			y := l.layer.Forward(xs)
			assert.Equal(t, []int{2, 2, inner}, y.Shape())
			assert.Less(t, furthest(t, want, y.Float32s()), 1e-5)
			assert.Greater(t, furthest(t, want, dense(l).Forward(xs).Float32s()), .1,
				"the addition is too small to be seen")

			sum := delta(s, l)
			assert.Equal(t, torch.Float64, sum.DType())
			delta := sum.Float64s()
			for o := range inner {
				for i := range width {
					sum := 0.
					for r := range rank {
						sum += float64(pair(l).b.Float32s()[o*rank+r]) * float64(pair(l).a.Float32s()[r*width+i])
					}
					assert.InDelta(t, c.scale*sum, delta[o*width+i], 1e-12)
				}
			}
			return nil
		}))
	}
}

// The addition is computed in the type of x also where the base multiplies in BFloat16.
func TestForwardInHalfPrecision(t *testing.T) {
	m := base(t)
	_, a := m.adapted(t, Config{Method: &LoRA{R: 3, Alpha: 7}, TargetModules: Targets("up")})
	l := a.Layers()[0]
	run := func(compute torch.DType, convert bool) (y, plain []float32) {
		require.NoError(t, torch.Do(t.Context(), torch.Mode{Compute: compute}, func(s *torch.Scope) error {
			x := s.FromFloat32(input(), 4, width)
			if convert {
				x = x.ToType(torch.BFloat16)
			}
			out := l.layer.Forward(x)
			assert.Equal(t, x.DType(), out.DType())
			y, plain = out.ToType(torch.Float32).Float32s(), dense(l).Forward(x).ToType(torch.Float32).Float32s()
			return nil
		}))
		return y, plain
	}
	exact, exactPlain := run(torch.Float32, false)
	half, halfPlain := run(torch.BFloat16, false)
	for i := range exact {
		assert.InDelta(t, exact[i]-exactPlain[i], half[i]-halfPlain[i], 1e-6, "the addition alone")
	}
	assert.NotEqual(t, exactPlain, halfPlain)
	narrow, _ := run(torch.BFloat16, true)
	assert.Less(t, furthest(t, exact, narrow), .1)
}

func TestANewAdapterChangesNothingAndIsSeeded(t *testing.T) {
	m := base(t)
	before := m.output(t)
	start := map[string][]float32{}
	for _, c := range []struct {
		init Init
		seed uint64
	}{{InitTrue, 5}, {InitTrue, 5}, {InitTrue, 6}, {InitGaussian, 5}} {
		a, err := New(Config{Method: &LoRA{R: 4, Alpha: 3, Init: c.init}, TargetModules: Targets("all-linear")})
		require.NoError(t, err)
		t.Cleanup(a.Close)
		var v *model
		require.NoError(t, torch.Do(t.Context(), torch.Mode{Seed: c.seed}, func(s *torch.Scope) error {
			return m.store.Build(s, nil, a, func(b *nn.Builder) { v = newModel(b) })
		}))
		require.Len(t, a.Layers(), 2*depth)
		assert.Equal(t, before, v.output(t), "B is zero")
		var all []float32
		for _, l := range a.Layers() {
			values := pair(l).a.Float32s()
			all = append(all, values...)
			sum := 0.
			for _, x := range values {
				sum += float64(x) * float64(x)
				if c.init == InitTrue {
					assert.LessOrEqual(t, math.Abs(float64(x)), 1/math.Sqrt(float64(dense(l).In()))+1e-7)
				}
			}
			sd := map[Init]float64{InitTrue: 1 / math.Sqrt(3*float64(dense(l).In())), InitGaussian: 1. / 4}[c.init]
			assert.InDelta(t, sd, math.Sqrt(sum/float64(len(values))), .45*sd, "spread of A")
		}
		key := string(c.init) + string(rune('0'+c.seed))
		if old := start[key]; old != nil {
			assert.Equal(t, old, all, "the same seed")
		}
		for k, other := range start {
			if k != key {
				assert.NotEqual(t, other, all)
			}
		}
		start[key] = all
	}
}

func TestDropoutIsOnTheInputOfAAndOnlyWhereTheModeHasIt(t *testing.T) {
	m := base(t)
	v, a := m.adapted(t, Config{Method: &LoRA{R: 3, Alpha: 7, Dropout: .5}, TargetModules: Targets("up")})
	still := v.output(t)
	assert.Equal(t, still, v.output(t))
	l := a.Layers()[0]
	const n = 4000
	require.NoError(t, torch.Do(t.Context(), torch.Mode{Dropout: true, Seed: 9}, func(s *torch.Scope) error {
		row := input()[:width]
		x := s.FromFloat32(row, 1, width)
		many := x.Expand(n, width)
		dropped := l.layer.Forward(many)
		want := dense(l).Forward(x)
		addition := dropped.Sub(want)
		mean := addition.Mean(0).Float32s()
		low := x.Linear(pair(l).a, nil).Linear(pair(l).b, nil).MulScalar(pair(l).scale).Float32s()
		spread := addition.Sub(addition.MeanKeep(0)).Square().Mean(0).Sqrt().Float32s()
		for i := range low {
			assert.Greater(t, spread[i], float32(.1), "nothing is dropped")
			assert.InDelta(t, low[i], mean[i], 6*float64(spread[i])/math.Sqrt(n), "kept inputs are scaled up")
		}
		return nil
	}))
}

func TestViewsShareThePairs(t *testing.T) {
	m := base(t)
	v, a := m.adapted(t, Config{Method: &LoRA{R: 3, Alpha: 7}, TargetModules: Targets("up")})
	tensors := a.Store().Len()
	w, err := m.view(t, a)
	require.NoError(t, err)
	require.NoError(t, a.Check())
	assert.Equal(t, tensors, a.Store().Len())
	assert.Len(t, a.Layers(), depth)
	assert.Equal(t, v.output(t), w.output(t))
	assert.NotEqual(t, m.output(t), v.output(t), "the base model has no adapter")

	// Two adapters stand side by side on one set of weights.
	second, b := m.adapted(t, Config{Method: &LoRA{R: 2, Alpha: 1}, TargetModules: Targets("down")})
	assert.NotEqual(t, v.output(t), second.output(t))
	assert.Equal(t, []string{"layers.0.down.lora_A.weight", "layers.0.down.lora_B.weight"}, names(b.Store())[:2])
}

func names(st *nn.Store) (list []string) {
	for name := range st.Params() {
		list = append(list, name)
	}
	return list
}

func TestAnotherModelsLayersAreRefused(t *testing.T) {
	_, a := base(t).adapted(t, Config{Method: &LoRA{R: 3, Alpha: 7}, TargetModules: Targets("up")})
	store := nn.NewStore()
	defer store.Close()
	err := torch.Infer(t.Context(), func(s *torch.Scope) error {
		return store.Build(s, nn.Fresh{}, a, func(b *nn.Builder) {
			var l nn.Linear
			b.Linear(&l, "layers.0.up", width+1, inner)
		})
	})
	assert.ErrorContains(t, err, "layers.0.up.lora_A.weight: shape [3 6], want [3 7]")
}
