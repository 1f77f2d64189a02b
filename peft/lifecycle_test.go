package peft

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// flat are the weights of the small model as plain numbers: path to matrix and bias.
type flat map[string]*flatLayer

type flatLayer struct {
	w       []float64 // (out, in)
	b       []float64
	out, in int
}

func (m *model) flat() flat {
	f := flat{}
	for name, p := range m.store.Params() {
		if path, ok := strings.CutSuffix(name, ".weight"); ok {
			f[path] = &flatLayer{widen(p.Float32s()), widen(m.store.Param(path + ".bias").Float32s()), p.Dim(0),
				p.Dim(1)}
		}
	}
	return f
}

// apply writes out what each method says, with loops, into the weights.
func (f flat) apply(a *Adapter) {
	number := func(path, key string) []float64 {
		if p := a.store.Param(path + "." + key); p != nil {
			return widen(p.Float32s())
		}
		return nil
	}
	for path, l := range f {
		if factor := number(path, keyIA3); factor != nil {
			before := len(factor) == l.in && a.store.Param(path+"."+keyIA3).Dim(0) == 1
			for o := range l.out {
				for i := range l.in {
					if before {
						l.w[o*l.in+i] *= factor[i]
					} else {
						l.w[o*l.in+i] *= factor[o]
					}
				}
				if !before {
					l.b[o] *= factor[o]
				}
			}
		}
		down, up := number(path, keyA), number(path, keyB)
		if down == nil {
			continue
		}
		m := a.Config.Method.(*LoRA)
		rank := len(down) / l.in
		scale := m.Alpha / float64(rank)
		if m.RSLoRA {
			scale = m.Alpha / math.Sqrt(float64(rank))
		}
		magnitude, bias := number(path, keyNorm), number(path, keyBiasB)
		for o := range l.out {
			norm := 0.
			for i := range l.in {
				for r := range rank {
					l.w[o*l.in+i] += scale * up[o*rank+r] * down[r*l.in+i]
				}
				norm += l.w[o*l.in+i] * l.w[o*l.in+i]
			}
			if magnitude != nil {
				for i := range l.in {
					l.w[o*l.in+i] *= magnitude[o] / math.Sqrt(norm)
				}
			}
			if bias != nil {
				l.b[o] += scale * bias[o]
			}
		}
	}
}

// output is what the small model gives with these weights.
func (f flat) output() (y []float32) {
	for x := range slices.Chunk(input(), width) {
		h := widen(x)
		for i := range depth {
			mid := f[fmt.Sprintf("layers.%d.up", i)].forward(h)
			for k, v := range mid {
				mid[k] = math.Tanh(v)
			}
			for k, v := range f[fmt.Sprintf("layers.%d.down", i)].forward(mid) {
				h[k] += v
			}
		}
		y = append(y, narrow(h)...)
	}
	return y
}

func (l *flatLayer) forward(x []float64) []float64 {
	y := slices.Clone(l.b)
	for o := range y {
		for i, v := range x {
			y[o] += l.w[o*l.in+i] * v
		}
	}
	return y
}

// clash reports whether several of the adapters on one layer would depend on their order.
func clash(adapters []*Adapter) bool {
	effects := map[string]effect{}
	for _, a := range adapters {
		for _, l := range a.layers {
			if e, ok := effects[l.Path]; ok && (e != l.layer.effect() || e == replaces) {
				return true
			}
			effects[l.Path] = l.layer.effect()
		}
	}
	return false
}

// Random sequences of everything that can be done to several adapters on one model: after each step
// the model, and a view with some of them, give what a plain computation gives, and what is
// unmerged has its old bits.
func TestRandomSequencesOfOperations(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { operate(t, rand.New(rand.NewPCG(seed, 5))) })
	}
}

func operate(t *testing.T, r *rand.Rand) {
	m := base(t)
	set := map[string]*Adapter{}
	configs := map[string]Config{
		"a": {Method: &LoRA{R: 3, Alpha: 4}, TargetModules: Targets("up", "down")},
		"b": {Method: &LoRA{R: 2, Alpha: 3, RSLoRA: true, BiasB: true}, TargetModules: Targets("up")},
		"d": {Method: &LoRA{R: 2, Alpha: 2, DoRA: true}, TargetModules: Targets("down")},
		"i": {Method: &IA3{FeedForward: Targets("down")}, TargetModules: Targets("up", "1.down")},
		"j": {Method: &IA3{}, TargetModules: Targets("0.up")},
	}
	for _, name := range slices.Sorted(maps.Keys(configs)) {
		a, err := New(configs[name])
		require.NoError(t, err)
		t.Cleanup(a.Close)
		set[name] = a
		view(t, m, a)
		require.NoError(t, a.Check())
		shake(t, a, r.Uint64())
	}
	ss := &nn.Session{Stores: []*nn.Store{m.store}}
	var merges []*Merged
	var bits []map[string][]byte
	weightsNow := m.flat() // what the weights are to be, by plain computation
	history := []flat{}
	done := map[string]int{}
	for range 60 {
		names := slices.Sorted(maps.Keys(set))
		r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		some := names[:1+r.IntN(2)]
		var list []*Adapter
		for _, name := range some {
			list = append(list, set[name])
		}
		there := merged(merges)
		switch r.IntN(4) {
		case 0: // merge
			before := weights(m.store)
			x, err := Merge(t.Context(), ss, list...)
			if clash(slices.Concat(there, list)) || slices.ContainsFunc(list,
				func(a *Adapter) bool { return slices.Contains(there, a) }) {
				require.Error(t, err)
				require.Equal(t, before, weights(m.store), "all or nothing")
				done["refused"]++
				break
			}
			require.NoError(t, err)
			merges, bits, history = append(merges, x), append(bits, before), append(history, weightsNow)
			weightsNow = m.flat() // rounded to what is stored, of which the step before has shown that it is right
			for path, l := range history[len(history)-1] {
				exact := flat{path: &flatLayer{slices.Clone(l.w), slices.Clone(l.b), l.out, l.in}}
				for _, a := range list {
					exact.apply(a)
				}
				assert.InDeltaSlice(t, exact[path].w, weightsNow[path].w, 1e-6)
				assert.InDeltaSlice(t, exact[path].b, weightsNow[path].b, 1e-6)
			}
			done["merged"]++
		case 1: // unmerge
			if len(merges) == 0 {
				break
			}
			if len(merges) > 1 {
				isFault(t, merges[0].Unmerge(t.Context()), fault.Usage, "merged after it")
			}
			n := len(merges) - 1
			require.NoError(t, merges[n].Unmerge(t.Context()))
			require.Equal(t, bits[n], weights(m.store), "bit for bit")
			weightsNow = history[n]
			merges, bits, history = merges[:n], bits[:n], history[:n]
			done["unmerged"]++
		case 2: // train
			if !slices.Contains(there, list[0]) {
				shake(t, list[0], r.Uint64())
				done["trained"]++
			}
		case 3: // combine
			f, err := Combine(t.Context(), Combination{Kind: Cat}, []float64{.5, -1.5}, set["a"].File(),
				set["b"].File())
			require.NoError(t, err)
			a, err := f.Adapter()
			require.NoError(t, err)
			got := view(t, m, a).output(t)
			want := m.flat()
			for i, x := range []*Adapter{set["a"], set["b"]} {
				part := m.flat()
				part.apply(x)
				for path, l := range m.flat() {
					for k := range l.w {
						want[path].w[k] += []float64{.5, -1.5}[i] * (part[path].w[k] - l.w[k])
					}
					for k := range l.b {
						want[path].b[k] += []float64{.5, -1.5}[i] * (part[path].b[k] - l.b[k])
					}
				}
			}
			assert.Less(t, furthest(t, want.output(), got), 1e-4)
			a.Close()
			done["combined"]++
		}
		assert.Less(t, furthest(t, weightsNow.output(), m.output(t)), 1e-4, "the base model")
		if clash(list) {
			err := torch.Infer(t.Context(), func(s *torch.Scope) error {
				return m.store.Build(s, nil, stacked(list), func(b *nn.Builder) { newModel(b) })
			})
			require.ErrorContains(t, err, "would depend on their order")
			for _, a := range list { // Check remembers it
				a.problems = nil
			}
			done["clashed"]++
			continue
		}
		want := m.flat()
		there = merged(merges)
		for _, a := range list {
			if !slices.Contains(there, a) {
				want.apply(a)
			}
		}
		assert.Less(t, furthest(t, want.output(), view(t, m, list...).output(t)), 1e-4, "%v active, %d merged", some,
			len(there))
	}
	for _, x := range slices.Backward(merges) {
		require.NoError(t, x.Unmerge(t.Context()))
	}
	for _, what := range []string{"merged", "unmerged", "refused", "trained", "combined", "clashed"} {
		assert.NotZero(t, done[what], what)
	}
}

// merged are the adapters of some merges.
func merged(merges []*Merged) (all []*Adapter) {
	for _, x := range merges {
		all = append(all, x.adapters...)
	}
	return all
}

// view is the model with some adapters.
func view(t *testing.T, m *model, adapters ...*Adapter) (v *model) {
	t.Helper()
	require.NoError(t, torch.Do(t.Context(), torch.Mode{Seed: 2}, func(s *torch.Scope) error {
		return m.store.Build(s, nil, stacked(adapters), func(b *nn.Builder) { v = newModel(b) })
	}))
	return v
}

func stacked(adapters []*Adapter) nn.Adapter {
	list := make([]nn.Adapter, len(adapters))
	for i, a := range adapters {
		list[i] = a
	}
	return nn.Stack(list...)
}

// shake changes an adapter's parameters, as training would.
func shake(t *testing.T, a *Adapter, seed uint64) {
	t.Helper()
	require.NoError(t, torch.Do(t.Context(), torch.Mode{Seed: seed}, func(s *torch.Scope) error {
		for _, p := range a.Store().Params() {
			p.CopyFrom(s.Attach(p).Add(s.Normal(0, .2, p.Shape()...)))
		}
		return nil
	}))
}

// Two goroutines infer with two adapters over one set of weights, while a third one merges and
// unmerges another model.
func TestTwoAdaptersServeAtOnce(t *testing.T) {
	m := base(t)
	one, a := m.adapted(t, Config{Method: &LoRA{R: 3, Alpha: 7}, TargetModules: Targets("up")})
	two, b := m.adapted(t, Config{Method: &LoRA{R: 2, Alpha: 5, DoRA: true}, TargetModules: Targets("down")})
	want := [][]float32{m.output(t), one.output(t), two.output(t)}
	assert.NotEqual(t, want[1], want[2])
	var wg sync.WaitGroup
	for i, x := range []*model{m, one, two} {
		ss := &nn.Session{Stores: []*nn.Store{m.store, a.Store(), b.Store()}}
		wg.Go(func() {
			for range 50 {
				assert.NoError(t, ss.Infer(t.Context(), func(s *torch.Scope) error {
					assert.Equal(t, want[i], x.forward(s.FromFloat32(input(), 4, width)).Float32s())
					return nil
				}))
			}
		})
	}
	wg.Wait()
}

// A view costs nothing but the adapter's own parameters: the base weights are there once.
func TestInjectingCopiesNoWeights(t *testing.T) {
	m := base(t)
	live := torch.Live()
	_, a := m.adapted(t, Config{Method: &LoRA{R: 3, Alpha: 7}, TargetModules: Targets("all-linear")})
	assert.Equal(t, live+a.Store().Len(), torch.Live())
	for _, l := range a.Layers() {
		assert.Same(t, m.store.Param(l.Path+".weight"), dense(l).Weight)
		assert.Same(t, m.store.Param(l.Path+".bias"), dense(l).Bias)
	}
}

// An adapter that changes nothing is found, in its file and in the model.
func TestInactiveAdaptersAreFound(t *testing.T) {
	m := base(t)
	for what, cfg := range map[string]Config{
		"lora":   {Method: &LoRA{R: 3, Alpha: 7}, TargetModules: Targets("up")},
		"dora":   {Method: &LoRA{R: 3, Alpha: 7, DoRA: true}, TargetModules: Targets("up")},
		"biasB":  {Method: &LoRA{R: 3, Alpha: 7, BiasB: true}, TargetModules: Targets("up")},
		"pissa":  {Method: &LoRA{R: 3, Alpha: 7, Init: InitPiSSA}, TargetModules: Targets("up")},
		"ia3":    {Method: &IA3{}, TargetModules: Targets("up")},
		"vera":   {Method: &VeRA{R: 4}, TargetModules: Targets("up")},
		"copies": {Method: &NormTuning{}, TargetModules: Targets("up")},
		"bitfit": {Method: &BitFit{}},
		"biases": {Method: &LoRA{R: 3, Alpha: 7}, TargetModules: Targets("up"), Bias: BiasOnly},
	} {
		a, err := New(cfg)
		require.NoError(t, err)
		_, err = m.view(t, a)
		require.NoError(t, err, what)
		inactive, err := a.Inactive(t.Context(), m.session(a))
		require.NoError(t, err)
		n := depth
		if what == "bitfit" {
			n = 2 * depth
		}
		assert.Len(t, inactive, n, "%s has learnt nothing", what)
		for _, module := range a.File().Modules() {
			assert.NotEqual(t, Active, module.State, what)
		}
		first := slices.Collect(maps.Values(maps.Collect(a.Store().Params())))
		require.NoError(t, torch.Do(t.Context(), torch.Mode{Seed: 1}, func(s *torch.Scope) error {
			for _, p := range first {
				p.CopyFrom(s.Attach(p).Add(s.Normal(0, .2, p.Shape()...)))
			}
			return nil
		}))
		inactive, err = a.Inactive(t.Context(), m.session(a))
		require.NoError(t, err)
		assert.Empty(t, inactive, what)
		for _, module := range a.File().Modules() {
			assert.NotEqual(t, Inactive, module.State, what)
		}
	}
}
