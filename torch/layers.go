package torch

// Conv1d convolves t (B, Cin, T) with w (Cout, Cin/groups, K) and adds b (Cout) or nil: (B, Cout,
// T').
func (t *Tensor) Conv1d(w, b *Tensor, stride, padding, groups int) *Tensor {
	return conv1d.with([]int{stride, padding, groups}, nil, t, w, b)
}

// LayerNorm normalises the last dimension with the biased variance, scales it by w and adds b. Both
// may be nil.
func (t *Tensor) LayerNorm(w, b *Tensor, eps float64) *Tensor {
	return layerNorm.with(nil, []float64{eps}, t, w, b)
}

// GroupNorm normalises t (B, C, T) over time and the channels of each group.
func (t *Tensor) GroupNorm(groups int, w, b *Tensor, eps float64) *Tensor {
	return groupNorm.with([]int{groups}, []float64{eps}, t, w, b)
}

// Dropout sets each element to 0 with probability p and scales the others by 1/(1-p), if the
// scope's mode has dropout. Otherwise it returns t.
func (t *Tensor) Dropout(p float64) *Tensor {
	p, seed := t.scope(dropout).dropout(dropout, p)
	if p == 0 {
		return t
	}
	return dropout.with([]int{seed}, []float64{p}, t)
}

// dropout returns the probability to use in s, and a new seed if it is not 0.
func (s *Scope) dropout(o op, p float64) (float64, int) {
	if !(p >= 0 && p <= 1) {
		Failf(o.name, "a dropout probability of %g", p)
	}
	if p == 0 || !s.mode.Dropout {
		return 0, 0
	}
	return p, int(s.seed())
}

// Attention has the optional arguments of GatedAttention.
type Attention struct {
	Gate     *Tensor // (B, H, T, 1): factor of Position for each query; nil without Position
	Position *Tensor // (H, T, T): position bias
	KeyMask  *Tensor // (B, 1, 1, T): 0 or -inf, added to the scores; one key at least must have 0
	Scale    float64 // of the scores, usually 1/√D
	Dropout  float64 // of the attention weights, if the scope's mode has dropout
}

// GatedAttention returns softmax(scale·t·kᵀ + gate·position + mask)·v for queries t, keys k and
// values v (B, H, T, D). The result has t's type; sums of BFloat16 are in Float32. Gradients flow
// to t, k, v, gate and position. The backward pass recomputes the attention weights, so that memory
// grows with T and not with its square.
func (t *Tensor) GatedAttention(k, v *Tensor, a Attention) *Tensor {
	p, seed := t.scope(gatedAttention).dropout(gatedAttention, a.Dropout)
	return gatedAttention.with([]int{seed}, []float64{a.Scale, p}, t, k, v, a.Gate, a.Position, a.KeyMask)
}

var (
	conv1d, layerNorm, groupNorm = kernel("conv1d"), kernel("layer_norm"), kernel("group_norm")
	dropout, gatedAttention      = kernel("dropout"), kernel("gated_attention")
)
