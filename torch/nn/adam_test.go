package nn

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/torch"
)

// optimizerCase is how make_adam.py set an optimizer up.
type optimizerCase struct {
	Kind  string
	Betas [2]float64
	Eps   float64
	Decay float64 `json:"weight_decay"`
}

func (c optimizerCase) options() AdamOptions {
	return AdamOptions{Beta1: c.Betas[0], Beta2: c.Betas[1], Eps: c.Eps, Decay: c.Decay, Decoupled: c.Kind == "AdamW"}
}

// golden is adam.safetensors.
type golden struct {
	t    *testing.T
	file *ckpt.File
	meta struct {
		Steps  int
		Groups [][]string
		LRs    [][]float64
		Cases  map[string]optimizerCase
	}
	used int
}

func openGolden(t *testing.T) *golden {
	t.Helper()
	file, err := ckpt.Open("testdata/adam.safetensors")
	require.NoError(t, err)
	t.Cleanup(func() { file.Close() })
	g := &golden{t: t, file: file}
	require.NoError(t, json.Unmarshal([]byte(file.Metadata()["meta"]), &g.meta))
	require.NotEmpty(t, g.meta.Cases)
	return g
}

// values is a tensor of the golden; ok is false where there is none.
func (g *golden) values(name string, args ...any) (v []float32, shape []int, ok bool) {
	g.t.Helper()
	info, ok := g.file.Info(fmt.Sprintf(name, args...))
	if !ok {
		return nil, nil, false
	}
	v, err := g.file.Float32(info.Name)
	require.NoError(g.t, err)
	g.used++
	return v, info.Shape, true
}

// near wants values within a few units in the last place of those of the golden.
func (g *golden) near(got []float32, name string, args ...any) {
	g.t.Helper()
	want, _, ok := g.values(name, args...)
	name = fmt.Sprintf(name, args...)
	require.True(g.t, ok, name)
	require.Len(g.t, got, len(want), name)
	for i := range want {
		assert.InDelta(g.t, want[i], got[i], 2e-7+1e-6*math.Abs(float64(want[i])), "%s element %d", name, i)
	}
}

func TestStepsAreThoseOfPyTorch(t *testing.T) {
	g := openGolden(t)
	for name, c := range g.meta.Cases {
		st := newStore(t)
		do(t, 1, func(s *torch.Scope) {
			var groups []Group
			for i, names := range g.meta.Groups {
				for _, n := range names {
					v, shape, _ := g.values("%s/param/0/%s", name, n)
					st.Add(n, s.FromFloat32(v, shape...)).RequireGrad(true)
				}
				group := Group{Names: names, LR: g.meta.LRs[0][i]}
				for _, n := range names {
					group.Params = append(group.Params, st.Param(n))
				}
				groups = append(groups, group)
			}
			adam := NewAdam(s, c.options(), groups...)
			defer adam.Close()
			for step := range g.meta.Steps {
				for i, lr := range g.meta.LRs[step] {
					adam.groups[i].LR = lr
				}
				for n, p := range st.Params() {
					assert.False(t, p.HasGrad(), "ClearGrad forgot %s", n)
					if grad, shape, ok := g.values("%s/grad/%d/%s", name, step, n); ok {
						s.FromFloat32(grad, shape...).Mul(p).Sum().Backward()
						assert.Equal(t, grad, p.Grad(s).Float32s())
					}
				}
				adam.Step()
				adam.ClearGrad()
				for n, p := range st.Params() {
					g.near(p.Float32s(), "%s/param/%d/%s", name, step+1, n)
				}
			}
			for n, state := range adam.State() {
				if _, ok := g.file.Info(name + "/state/" + n); !ok {
					assert.Contains(t, n, "never.")
					assert.Zero(t, state.MaxAbs(), n)
					continue
				}
				g.near(state.Float32s(), "%s/state/%s", name, n)
			}
		})
	}
	assert.Equal(t, len(g.file.Names()), g.used, "every value of the golden was compared")
}

// A run that is stopped and taken up again with the saved state gives bit-identical results.
func TestStateMakesARunContinue(t *testing.T) {
	run := func(stop int) (bits []byte) {
		st := newStore(t)
		do(t, 3, func(s *torch.Scope) {
			p := st.Add("w", s.Normal(0, 1, 8))
			target := s.Normal(0, 1, 8)
			group := Group{LR: .1}.With("model.", st, nil)
			adam := NewAdam(s, AdamOptions{Decay: .1, Decoupled: true}, group)
			for step := range 6 {
				if step == stop {
					saved := map[string]*torch.Tensor{}
					for name, t := range adam.State() {
						saved[name] = s.Attach(t).Clone()
					}
					assert.Len(t, saved, 3)
					adam.Close()
					adam = NewAdam(s, AdamOptions{Decay: .1, Decoupled: true}, group)
					require.NoError(t, adam.SetState(func(name string) (*torch.Tensor, error) {
						return saved[name],
							nil
					}))
					assert.EqualValues(t, stop, saved["model.w.step"].Item())
				}
				target.Sub(p).Square().Sum().Backward()
				adam.Step()
				adam.ClearGrad()
			}
			err := adam.SetState(func(name string) (*torch.Tensor, error) { return nil, fmt.Errorf("lost") })
			assert.EqualError(t, err, "optimizer state model.w.exp_avg: lost")
			adam.Close()
			bits = p.Bytes()
		})
		return bits
	}
	assert.Equal(t, run(-1), run(3))
}

func TestGroupsTakeWhatTheyKeep(t *testing.T) {
	st := newStore(t)
	do(t, 1, func(s *torch.Scope) {
		for _, name := range []string{"a.weight", "a.bias", "b.weight"} {
			st.Add(name, s.Zeros(2)).RequireGrad(true)
		}
	})
	first := Group{LR: 1}.With("x.", st, func(name string) bool { return name != "a.bias" })
	assert.Equal(t, []string{"x.a.weight", "x.b.weight"}, first.Names)
	assert.Equal(t, []*torch.Tensor{st.Param("a.weight"), st.Param("b.weight")}, first.Params)
	for name, p := range st.Params() {
		assert.Equal(t, name != "a.bias", p.RequiresGrad(), name)
	}
	second := first.With("y.", st, nil)
	assert.Len(t, second.Params, 5)
	assert.Len(t, first.Params, 2, "With leaves its receiver alone")
	st.Freeze()
	for name, p := range st.Params() {
		assert.False(t, p.RequiresGrad(), name)
	}
}
