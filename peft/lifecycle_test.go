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
			f[path] = &flatLayer{widen(p.Float32s()), widen(m.store.Param(path + ".bias").Float32s()), p.Dim(0), p.Dim(1)}
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

// clash says whether several of the adapters on one layer would depend on their order.
func clash(adapters []*Adapter) bool {
	effects := map[string]Effect{}
	for _, a := range adapters {
		for _, l := range a.layers {
			if e, ok := effects[l.Path]; ok && (e != l.Layer.Effect() || e == Replaces) {
				return true
			}
			effects[l.Path] = l.Layer.Effect()
		}
	}
	return false
}

// Random sequences of everything that can be done to several adapters on one model: after each step the model, and a
// view with some of them, give what a plain computation gives, and what is unmerged has its old bits.
func TestRandomLives(t *testing.T) {
	for seed := range uint64(6) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { live(t, rand.New(rand.NewPCG(seed, 5))) })
	}
}

func live(t *testing.T, r *rand.Rand) {
	m := base(t)
	set := NewSet()
	t.Cleanup(set.Close)
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
		require.NoError(t, set.Add(name, a))
		_ = view(t, m, set, name)
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
		names := set.Names()
		r.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		some := names[:1+r.IntN(2)]
		list, err := set.all(some)
		require.NoError(t, err)
		there := merged(merges)
		switch r.IntN(5) {
		case 0: // merge
			before := weights(m.store)
			x, err := set.Merge(t.Context(), ss, some...)
			if clash(slices.Concat(there, list)) || slices.ContainsFunc(list, func(a *Adapter) bool { return slices.Contains(there, a) }) {
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
		case 3: // combine and remove
			name := fmt.Sprint("c", done["combined"])
			err := set.Combine(t.Context(), name, Combination{Kind: Cat}, []float64{.5, -1.5}, "a", "b")
			require.NoError(t, err)
			require.Error(t, set.Add(name, list[0]), "a name is given once")
			a, err := set.Get("a")
			require.NoError(t, err)
			b, err := set.Get("b")
			require.NoError(t, err)
			got := view(t, m, set, name).output(t)
			want := m.flat()
			for i, x := range []*Adapter{a, b} {
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
			require.NoError(t, set.Remove(name))
			done["combined"]++
		case 4:
			if slices.Contains(there, list[0]) {
				isFault(t, set.Remove(some[0]), fault.Usage, "merged into the weights")
			}
		}
		assert.Less(t, furthest(t, weightsNow.output(), m.output(t)), 1e-4, "the base model")
		if clash(list) {
			active, _, err := set.Active(some...)
			require.NoError(t, err)
			err = torch.Infer(t.Context(), func(s *torch.Scope) error {
				return m.store.Build(s, nil, active, func(b *nn.Builder) { newModel(b) })
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
		assert.Less(t, furthest(t, want.output(), view(t, m, set, some...).output(t)), 1e-4, "%v active, %d merged", some, len(there))
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

// view is the model with some adapters of a set.
func view(t *testing.T, m *model, set *Set, names ...string) (v *model) {
	t.Helper()
	active, _, err := set.Active(names...)
	require.NoError(t, err)
	require.NoError(t, torch.Do(t.Context(), torch.Mode{Seed: 2}, func(s *torch.Scope) error {
		return m.store.Build(s, nil, active, func(b *nn.Builder) { v = newModel(b) })
	}))
	return v
}

// shake changes an adapter's parameters, as training would.
func shake(t *testing.T, a *Adapter, seed uint64) {
	t.Helper()
	require.NoError(t, torch.Do(t.Context(), torch.Mode{Seed: seed}, func(s *torch.Scope) error {
		for _, p := range a.Store().Params() {
			p.CopyFrom(s.Use(p).Add(s.Normal(0, .2, p.Shape()...)))
		}
		return nil
	}))
}

// Two goroutines infer with two adapters over one set of weights, while a third one merges and unmerges another model.
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

func TestNamesOfASet(t *testing.T) {
	noLeak(t)
	set := NewSet()
	defer set.Close()
	for _, name := range []string{"", "a.b", "lora", "myLoRA"} {
		isFault(t, set.Add(name, nil), fault.Usage, "choose another name")
	}
	a, err := New(Config{Method: &LoRA{R: 3, Alpha: 7}, TargetModules: Targets("up")})
	require.NoError(t, err)
	require.NoError(t, set.Add("first", a))
	assert.Equal(t, []string{"first"}, set.Names())
	_, err = set.Get("second")
	isFault(t, err, fault.Usage, "there are: first")
	_, _, err = set.Active("first", "first")
	isFault(t, err, fault.Usage, "named twice")
	require.NoError(t, set.Remove("first"))
	assert.Empty(t, set.Names())
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

// A dead adapter is told, by file and in the model.
func TestDeadAdaptersAreTold(t *testing.T) {
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
		idle, err := a.Idle(t.Context(), m.session(a))
		require.NoError(t, err)
		n := depth
		if what == "bitfit" {
			n = 2 * depth
		}
		assert.Len(t, idle, n, "%s has learnt nothing", what)
		for _, module := range a.File().Modules() {
			assert.NotEqual(t, Alive, module.State, what)
		}
		first := slices.Collect(maps.Values(maps.Collect(a.Store().Params())))
		require.NoError(t, torch.Do(t.Context(), torch.Mode{Seed: 1}, func(s *torch.Scope) error {
			for _, p := range first {
				p.CopyFrom(s.Use(p).Add(s.Normal(0, .2, p.Shape()...)))
			}
			return nil
		}))
		idle, err = a.Idle(t.Context(), m.session(a))
		require.NoError(t, err)
		assert.Empty(t, idle, what)
		for _, module := range a.File().Modules() {
			assert.NotEqual(t, Dead, module.State, what)
		}
	}
}
