package torch

// Conv1d convolves t (B, Cin, T) with w (Cout, Cin/groups, K) and adds b (Cout) or nil: (B, Cout, T').
func (t *Tensor) Conv1d(w, b *Tensor, stride, padding, groups int) *Tensor {
	return conv1d.with([]int{stride, padding, groups}, nil, t, w, b)
}

// LayerNorm normalises the last dimension with the biased variance, then scales by w and adds b (both may be nil).
func (t *Tensor) LayerNorm(w, b *Tensor, eps float64) *Tensor {
	return layerNorm.with(nil, []float64{eps}, t, w, b)
}

// GroupNorm normalises t (B, C, T) over each of the groups of channels and time.
func (t *Tensor) GroupNorm(groups int, w, b *Tensor, eps float64) *Tensor {
	return groupNorm.with([]int{groups}, []float64{eps}, t, w, b)
}

// AvgPool averages t (B, C, T) to n values of about equal spans: (B, C, n).
func (t *Tensor) AvgPool(n int) *Tensor { return avgPool.ints(t, n) }

// Pad adds zeros before and after the last dimension.
func (t *Tensor) Pad(before, after int) *Tensor { return pad.ints(t, before, after) }

// Dropout sets each element to 0 with probability p and scales the rest by 1/(1-p), where the scope's mode has
// dropout; else it is t.
func (t *Tensor) Dropout(p float64) *Tensor {
	p, seed := t.scope(dropout).dropout(dropout, p)
	if p == 0 {
		return t
	}
	return dropout.with([]int{seed}, []float64{p}, t)
}

// dropout gives the probability that holds in s, with a new seed if it is not 0.
func (s *Scope) dropout(o op, p float64) (float64, int) {
	if !(p >= 0 && p <= 1) {
		Failf(o.name, "a dropout probability of %g", p)
	}
	if p == 0 || !s.mode.Dropout {
		return 0, 0
	}
	return p, int(s.seed())
}

// Attention are the optional parts of GatedAttention.
type Attention struct {
	Gate     *Tensor // (B, H, T, 1): factor of Position for each query; needs Position
	Position *Tensor // (H, T, T): position bias
	KeyMask  *Tensor // (B, 1, 1, T): added to the scores, 0 or -inf; at least one key of a clip must stay
	Scale    float64 // of the scores, usually 1/√D
	Dropout  float64 // of the weights, where the scope's mode has dropout
}

// GatedAttention is softmax(scale·t·kᵀ + gate·position + mask)·v for queries t, keys k and values v (B, H, T, D): of
// t's type, summed in Float32 where that is BFloat16. Gradients flow to t, k, v, gate and position; the backward pass
// computes the weights again instead of keeping them, so that memory grows with T and not with its square.
func (t *Tensor) GatedAttention(k, v *Tensor, a Attention) *Tensor {
	p, seed := t.scope(gatedAttention).dropout(gatedAttention, a.Dropout)
	return gatedAttention.with([]int{seed}, []float64{a.Scale, p}, t, k, v, a.Gate, a.Position, a.KeyMask)
}

var (
	conv1d, layerNorm, groupNorm = kernel("conv1d"), kernel("layer_norm"), kernel("group_norm")
	avgPool, pad, dropout        = kernel("avg_pool"), kernel("pad"), kernel("dropout")
	gatedAttention               = kernel("gated_attention")
)
