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
		{Config{R: 3, LoraAlpha: 7, TargetModules: Targets("up")}, 7. / 3},
		{Config{R: 3, LoraAlpha: 7, TargetModules: Targets("up"), UseRSLoRA: true}, 7 / math.Sqrt(3)},
		{Config{R: 16, LoraAlpha: 5, TargetModules: Targets("up")}, 5. / 16}, // more than the layer's rank can be
	} {
		m := base(t)
		_, a := m.adapted(t, c.cfg)
		l := a.Layers()[1]
		assert.Equal(t, "layers.1.up", l.Path)
		assert.InDelta(t, c.scale, l.Scale, 1e-15)
		x := input()
		want := byHand(x, l.Base.Weight.Float32s(), l.Base.Bias.Float32s(), l.A.Float32s(), l.B.Float32s(), width, inner, c.cfg.R, c.scale)
		require.NoError(t, torch.Infer(t.Context(), func(s *torch.Scope) error {
			xs := s.FromFloat32(x, 2, 2, width)
			y := l.Forward(xs)
			assert.Equal(t, []int{2, 2, inner}, y.Shape())
			assert.Less(t, furthest(t, want, y.Float32s()), 1e-5)
			assert.Greater(t, furthest(t, want, l.Base.Forward(xs).Float32s()), .1, "the addition is too small to be seen")

			delta := l.Delta(s).Float64s()
			assert.Equal(t, torch.Float64, l.Delta(s).DType())
			for o := range inner {
				for i := range width {
					sum := 0.
					for r := range c.cfg.R {
						sum += float64(l.B.Float32s()[o*c.cfg.R+r]) * float64(l.A.Float32s()[r*width+i])
					}
					assert.InDelta(t, c.scale*sum, delta[o*width+i], 1e-12)
				}
			}
			return nil
		}))
	}
}

// The addition is computed in Float32 also where the base multiplies in BFloat16.
func TestForwardInHalfPrecision(t *testing.T) {
	m := base(t)
	_, a := m.adapted(t, Config{R: 3, LoraAlpha: 7, TargetModules: Targets("up")})
	l := a.Layers()[0]
	run := func(compute torch.DType, convert bool) (y, plain []float32) {
		require.NoError(t, torch.Do(t.Context(), torch.Mode{Compute: compute}, func(s *torch.Scope) error {
			x := s.FromFloat32(input(), 4, width)
			if convert {
				x = x.To(torch.BFloat16)
			}
			out := l.Forward(x)
			assert.Equal(t, x.DType(), out.DType())
			y, plain = out.To(torch.Float32).Float32s(), l.Base.Forward(x).To(torch.Float32).Float32s()
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
		init string
		seed uint64
	}{{InitTrue, 5}, {InitTrue, 5}, {InitTrue, 6}, {InitGaussian, 5}} {
		a, err := New(Config{R: 4, LoraAlpha: 3, TargetModules: Targets("all-linear"), InitLoraWeights: c.init})
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
			values := l.A.Float32s()
			all = append(all, values...)
			sum := 0.
			for _, x := range values {
				sum += float64(x) * float64(x)
				if c.init == InitTrue {
					assert.LessOrEqual(t, math.Abs(float64(x)), 1/math.Sqrt(float64(l.Base.In()))+1e-7)
				}
			}
			sd := map[string]float64{InitTrue: 1 / math.Sqrt(3*float64(l.Base.In())), InitGaussian: 1. / 4}[c.init]
			assert.InDelta(t, sd, math.Sqrt(sum/float64(len(values))), .45*sd, "spread of A")
		}
		key := c.init + string(rune('0'+c.seed))
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
	v, a := m.adapted(t, Config{R: 3, LoraAlpha: 7, LoraDropout: .5, TargetModules: Targets("up")})
	still := v.output(t)
	assert.Equal(t, still, v.output(t))
	l := a.Layers()[0]
	const n = 4000
	require.NoError(t, torch.Do(t.Context(), torch.Mode{Dropout: true, Seed: 9}, func(s *torch.Scope) error {
		row := input()[:width]
		x := s.FromFloat32(row, 1, width)
		many := x.Expand(n, width)
		dropped := l.Forward(many)
		want := l.Base.Forward(x)
		addition := dropped.Sub(want)
		mean := addition.Mean(0).Float32s()
		low := x.Linear(l.A, nil).Linear(l.B, nil).Scale(l.Scale).Float32s()
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
	v, a := m.adapted(t, Config{R: 3, LoraAlpha: 7, TargetModules: Targets("up")})
	tensors := a.Store().Len()
	w, err := m.view(t, a)
	require.NoError(t, err)
	require.NoError(t, a.Check())
	assert.Equal(t, tensors, a.Store().Len())
	assert.Len(t, a.Layers(), depth)
	assert.Equal(t, v.output(t), w.output(t))
	assert.NotEqual(t, m.output(t), v.output(t), "the base model has no adapter")

	// Two adapters stand side by side on one set of weights.
	second, b := m.adapted(t, Config{R: 2, LoraAlpha: 1, TargetModules: Targets("down")})
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
	_, a := base(t).adapted(t, Config{R: 3, LoraAlpha: 7, TargetModules: Targets("up")})
	store := nn.NewStore()
	defer store.Close()
	err := torch.Infer(t.Context(), func(s *torch.Scope) error {
		return store.Build(s, nn.Fresh{}, a, func(b *nn.Builder) {
			var l nn.Linear
			b.Linear(&l, "layers.0.up", width+1, inner)
		})
	})
	assert.ErrorContains(t, err, "layers.0.up: the adapter's pair is of a layer (10, 6), this one is (10, 7)")
}
