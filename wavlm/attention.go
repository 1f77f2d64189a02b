package wavlm

import (
	"math"

	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// attention is multi-head self-attention with a position bias that each query scales by its own
// gate (Chen et al. 2022, section III-B).
type attention struct {
	q, k, v, out nn.Linear
	gate         nn.Linear     // D to 8, shared by the heads; nil without position bias
	gateScale    *torch.Tensor // (1, H, 1, 1)
	table        *positionTable
	heads        int
	scale        float64
}

func newAttention(b *nn.Builder, cfg Config, layer int) *attention {
	a := &attention{heads: cfg.Heads, scale: 1 / math.Sqrt(float64(cfg.headWidth()))}
	init := cfg.linearInit()
	for _, slot := range []struct {
		to   *nn.Linear
		name string
	}{{&a.q, "q_proj"}, {&a.k, "k_proj"}, {&a.v, "v_proj"}, {&a.out, "out_proj"}} {
		b.Linear(slot.to, slot.name, cfg.Hidden, cfg.Hidden, init)
	}
	if cfg.Family != WavLM {
		return a
	}
	b.Linear(&a.gate, "gru_rel_pos_linear", cfg.headWidth(), 8, init)
	a.gateScale = b.Param("gru_rel_pos_const", nn.Ones, 1, cfg.Heads, 1, 1)
	if layer == 0 {
		a.table = newPositionTable(b, cfg)
	}
	return a
}

// setting holds what all layers of one pass share.
type setting struct {
	position *torch.Tensor // (H, T, T) or nil
	mask     *torch.Tensor // (B, 1, 1, T), 0 or -inf, or nil
	rates    speech.Regularise
	frames   []int // that a layer returns; nil: all
}

// pick returns those frames of h (B, T, E).
func (c setting) pick(h *torch.Tensor) *torch.Tensor {
	if c.frames == nil {
		return h
	}
	return h.IndexSelect(1, c.frames)
}

// forward maps x (B, T, E) to (B, N, E) in the scope's compute type, N being the frames of the
// setting or T.
func (a *attention) forward(x *torch.Tensor, c setting) *torch.Tensor {
	defer x.Scope().Part(speech.PartAttention)()
	x = nn.ToCompute(x)
	queries := c.pick(x)                                                                       // (B, N, E)
	q, k, v := a.split(a.q.Forward(queries)), a.split(a.k.Forward(x)), a.split(a.v.Forward(x)) // (B, H, N or T, D)
	how := torch.Attention{KeyMask: c.mask, Scale: a.scale, Dropout: c.rates.Attention}
	if a.gate != nil {
		how.Gate, how.Position = a.gates(queries), c.pick(c.position)
	}
	y := q.GatedAttention(k, v, how)                                                    // (B, H, N, D)
	return a.out.Forward(y.Transpose(1, 2).Reshape(queries.Dim(0), queries.Dim(1), -1)) // (B, N, E)
}

// split separates the heads of x (B, T, E): (B, H, T, D).
func (a *attention) split(x *torch.Tensor) *torch.Tensor {
	return x.Reshape(x.Dim(0), x.Dim(1), a.heads, -1).Transpose(1, 2)
}

// gates returns the factor of the position bias for each query of x (B, T, E): (B, H, T, 1). It is
// computed from x, not from the projected query.
func (a *attention) gates(x *torch.Tensor) *torch.Tensor {
	b, t := x.Dim(0), x.Dim(1)
	u := a.gate.Forward(x.Reshape(b, t, a.heads, -1)).ToType(torch.Float32) // (B, T, H, 8)
	u = u.Reshape(b, t, a.heads, 2, 4).Sum(-1).Sigmoid().Transpose(1, 2)    // (B, H, T, 2)
	update, reset := u.Narrow(3, 0, 1), u.Narrow(3, 1, 1)                   // (B, H, T, 1)
	return update.Mul(reset.Mul(a.gateScale).AddScalar(-1)).AddScalar(2)
}
