package torch_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/torch"
)

// model is a transformer's layer in small: gated attention, a feed-forward part, norms.
type model struct {
	params                     []*torch.Tensor
	qkv, out, up, down, bias   *torch.Tensor // (3C, C), (C, C), (4C, C), (C, 4C), (C)
	gate, table, weight, shift *torch.Tensor // (H, C), (H, T, T), (C), (C)
	width                      int
}

const heads, frames = 4, 50

// newModel makes a model of the given width, whose parameters live until the test ends.
func newModel(t *testing.T, width int) *model {
	t.Helper()
	arena := torch.NewArena()
	t.Cleanup(arena.Close)
	m := &model{width: width}
	err := torch.Do(t.Context(), torch.Mode{Seed: 7}, func(s *torch.Scope) error { m.build(s, arena); return nil })
	require.NoError(t, err)
	return m
}

// build draws the parameters on the scope's device.
func (m *model) build(s *torch.Scope, arena *torch.Arena) {
	draw := func(dims ...int) *torch.Tensor {
		p := arena.Keep(s.Normal(0, .1, dims...)).RequireGrad(true)
		m.params = append(m.params, p)
		return p
	}
	c := m.width
	m.qkv, m.out, m.up, m.down, m.bias = draw(3*c, c), draw(c, c), draw(4*c, c), draw(c, 4*c), draw(c)
	m.gate, m.table, m.weight, m.shift = draw(heads, c), draw(heads, frames, frames), draw(c), draw(c)
}

// forward maps x (B, T, C) to (B, T, C).
func (m *model) forward(x *torch.Tensor) *torch.Tensor {
	b, d := x.Dim(0), m.width/heads
	// (B, H, T, D)
	split := func(x *torch.Tensor) *torch.Tensor { return x.Reshape(b, frames, heads, d).Transpose(1, 2) }
	h := x.LayerNorm(m.weight, m.shift, 1e-5)
	qkv := h.Linear(m.qkv, nil) // (B, T, 3C)
	part := func(i int) *torch.Tensor { return split(qkv.Narrow(2, i*m.width, m.width)) }
	gate := h.Linear(m.gate, nil).Sigmoid().Transpose(1, 2).Unsqueeze(-1) // (B, H, T, 1)
	y := part(0).GatedAttention(part(1), part(2), torch.Attention{Gate: gate, Position: m.table,
		Scale: 1 / math.Sqrt(float64(d)), Dropout: .1})
	h = x.Add(y.Transpose(1, 2).Reshape(b, frames, m.width).Linear(m.out, m.bias))
	return h.Add(h.Linear(m.up, nil).GELU().Dropout(.1).Linear(m.down, nil))
}

// adam is an optimizer's memory for some parameters, in an arena.
func adamFor(s *torch.Scope, arena *torch.Arena, params ...*torch.Tensor) torch.AdamState {
	st := torch.AdamState{Params: params}
	for _, p := range params {
		st.First = append(st.First, arena.Keep(s.ZerosOf(p.DType(), p.Shape()...)))
		st.Second = append(st.Second, arena.Keep(s.ZerosOf(p.DType(), p.Shape()...)))
		st.Steps = append(st.Steps, arena.Keep(s.Zeros()))
	}
	return st
}
