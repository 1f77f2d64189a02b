package torch_test

import (
	"fmt"
	"math"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/torch"
)

// attention is GatedAttention by plain operations, which keep everything.
func attention(q, k, v *torch.Tensor, a torch.Attention) *torch.Tensor {
	scores := q.MatMul(k.Transpose(-2, -1)).MulScalar(a.Scale)
	switch {
	case a.Gate != nil:
		scores = scores.Add(a.Gate.Mul(a.Position))
	case a.Position != nil:
		scores = scores.Add(a.Position)
	}
	if a.KeyMask != nil {
		scores = scores.Add(a.KeyMask)
	}
	return scores.Softmax(-1).MatMul(v)
}

func fused(q, k, v *torch.Tensor, a torch.Attention) *torch.Tensor { return q.GatedAttention(k, v, a) }

// attentionCase is a size and what takes part. An operand that is drawn in BFloat16 has the same
// values in all types.
type attentionCase struct {
	b, h, t, d             int
	gate, position, mask   bool
	frozenGate, frozenBias bool
}

// run gives the output and the gradients of all leaves, computed by f in type d.
func (c attentionCase) run(t *testing.T, d torch.DType,
	f func(q, k, v *torch.Tensor, a torch.Attention) *torch.Tensor) (out [][]float64) {
	train(t, 3, func(s *torch.Scope) {
		var leaves []*torch.Tensor
		draw := func(frozen bool, dims ...int) *torch.Tensor {
			x := s.Normal(0, 1, dims...).ToType(torch.BFloat16).ToType(d).RequireGrad(!frozen)
			if !frozen {
				leaves = append(leaves, x)
			}
			return x
		}
		q, k, v := draw(false, c.b, c.h, c.t, c.d), draw(false, c.b, c.h, c.t, c.d), draw(false, c.b, c.h, c.t, c.d)
		a := torch.Attention{Scale: .375}
		if c.gate {
			a.Gate = draw(c.frozenGate, c.b, c.h, c.t, 1)
		}
		if c.position {
			a.Position = draw(c.frozenBias, c.h, c.t, c.t)
		}
		if c.mask { // clip i has i keys less
			m := make([]bool, c.b*c.t)
			for i := range c.b {
				for n := range min(i, c.t-1) {
					m[(i+1)*c.t-1-n] = true
				}
			}
			a.KeyMask = s.ZerosOf(d, c.b, 1, 1, c.t).MaskedFill(s.FromBools(m, c.b, 1, 1, c.t), math.Inf(-1))
		}
		y := f(q, k, v, a)
		assert.Equal(t, []int{c.b, c.h, c.t, c.d}, y.Shape())
		assert.Equal(t, d, y.DType())
		y.Mul(draw(true, c.b, c.h, c.t, c.d)).Sum().Backward()
		out = append(out, y.Detach().ToType(torch.Float64).Contiguous().Float64s())
		for _, x := range leaves {
			g := x.Grad(s)
			assert.Equal(t, d, g.DType())
			out = append(out, g.ToType(torch.Float64).Contiguous().Float64s())
		}
	})
	return out
}

var attentionCases = []attentionCase{
	{b: 3, h: 2, t: 7, d: 5},
	{b: 3, h: 2, t: 7, d: 5, mask: true},
	{b: 3, h: 2, t: 7, d: 5, position: true},
	{b: 3, h: 2, t: 7, d: 5, position: true, mask: true},
	{b: 3, h: 2, t: 7, d: 5, gate: true, position: true},
	{b: 3, h: 2, t: 7, d: 5, gate: true, position: true, mask: true},
	{b: 3, h: 2, t: 7, d: 5, gate: true, position: true, frozenGate: true},
	{b: 3, h: 2, t: 7, d: 5, gate: true, position: true, frozenBias: true},
	{b: 3, h: 2, t: 7, d: 5, position: true, frozenBias: true},
	{b: 2, h: 3, t: 1, d: 4, gate: true, position: true},
	{b: 2, h: 3, t: 1, d: 4, gate: true, position: true, mask: true},
	{b: 1, h: 1, t: 70, d: 64, gate: true, position: true},
}

func TestGatedAttentionEqualsPlainOperations(t *testing.T) {
	for _, c := range attentionCases {
		t.Run(fmt.Sprintf("%+v", c), func(t *testing.T) {
			want := c.run(t, torch.Float64, attention)
			// In bf16 the output and its inner products carry 8 bits; sums are in f32.
			for d, tolerance := range map[torch.DType]float64{torch.Float64: 1e-14, torch.Float32: 2e-6,
				torch.BFloat16: 1. / 64} {
				got := c.run(t, d, fused)
				require.Len(t, got, len(want))
				for i := range want {
					most := 1.
					for _, v := range want[i] {
						most = max(most, math.Abs(v))
					}
					assert.InDeltaSlice(t, want[i], got[i], tolerance*most, "%s: tensor %d", d, i)
				}
			}
		})
	}
}

// With dropout the backward pass must draw the same mask again: compare with central differences.
func TestGatedAttentionDropoutGradient(t *testing.T) {
	const b, h, frames, d = 2, 2, 6, 4
	value := func(tensor, at int, step float64) (y, g float64) {
		train(t, 5, func(s *torch.Scope) {
			var leaves []*torch.Tensor
			draw := func(dims ...int) *torch.Tensor {
				data := s.Normal(0, 1, dims...).ToType(torch.Float64).Float64s()
				if len(leaves) == tensor {
					data[at] += step
				}
				leaves = append(leaves, s.FromFloat64(data, dims...).RequireGrad(true))
				return leaves[len(leaves)-1]
			}
			q, k, v := draw(b, h, frames, d), draw(b, h, frames, d), draw(b, h, frames, d)
			gate, position := draw(b, h, frames, 1), draw(h, frames, frames)
			weights := s.Normal(0, 1, b, h, frames, d).ToType(torch.Float64)
			out := q.GatedAttention(k, v, torch.Attention{Gate: gate, Position: position, Scale: .5,
				Dropout: .3}).Mul(weights).Sum()
			out.Backward()
			y, g = out.Item(), leaves[tensor].Grad(s).Contiguous().Float64s()[at]
		})
		return y, g
	}
	for tensor := range 5 {
		for _, at := range []int{0, 11, 23} {
			up, _ := value(tensor, at, 1e-5)
			down, _ := value(tensor, at, -1e-5)
			_, g := value(tensor, at, 0)
			assert.InDelta(t, (up-down)/2e-5, g, 1e-8, "tensor %d", tensor)
		}
	}
}

// Where dropout leaves a weight it is scaled, and its mean over many is what it was.
func TestGatedAttentionDropoutKeepsTheMean(t *testing.T) {
	train(t, 6, func(s *torch.Scope) {
		const frames = 200
		q, v := s.Zeros(4, 3, frames, 2), s.Full(1, 4, 3, frames, 2) // every weight is 1/frames
		y := q.GatedAttention(q, v, torch.Attention{Dropout: .25})
		assert.InDelta(t, 1, y.Mean().Item(), 5*math.Sqrt(.25/.75/(4*3*frames*frames)))
		rows := y.Select(3, 0).Contiguous().Float32s()
		for i := range 12 {
			for j := range i {
				assert.NotEqual(t, rows[i*frames:(i+1)*frames], rows[j*frames:(j+1)*frames],
					"each head of each clip draws its own")
			}
		}
	})
}

func TestGatedAttentionRefusesShapes(t *testing.T) {
	for want, fn := range map[string]func(s *torch.Scope, q *torch.Tensor){
		"(batch, heads, time, width)": func(s *torch.Scope,
			q *torch.Tensor) {
			q.Select(0, 0).GatedAttention(q, q, torch.Attention{})
		},
		"keys do not fit": func(s *torch.Scope, q *torch.Tensor) {
			q.GatedAttention(s.Zeros(2, 3, 4, 6), s.Zeros(2, 3, 4, 6), torch.Attention{})
		},
		"values do not fit": func(s *torch.Scope, q *torch.Tensor) {
			q.GatedAttention(q, s.Zeros(2, 3, 5, 5),
				torch.Attention{})
		},
		"needs a position": func(s *torch.Scope, q *torch.Tensor) {
			q.GatedAttention(q, q, torch.Attention{Gate: s.Zeros(2, 3, 4, 1)})
		},
		"the gate must be": func(s *torch.Scope, q *torch.Tensor) {
			q.GatedAttention(q, q, torch.Attention{Gate: s.Zeros(2, 3, 1, 4), Position: s.Zeros(3, 4, 4)})
		},
		"the position bias must be": func(s *torch.Scope, q *torch.Tensor) {
			q.GatedAttention(q, q, torch.Attention{Position: s.Zeros(2, 3, 4, 4)})
		},
		"the key mask must be": func(s *torch.Scope, q *torch.Tensor) {
			q.GatedAttention(q, q,
				torch.Attention{KeyMask: s.Zeros(2, 4)})
		},
	} {
		assert.Contains(t, failure(t, func(s *torch.Scope) { fn(s, s.Zeros(2, 3, 4, 5)) }).Msg, want)
	}
}

// What stays in memory between the forward and the backward pass: for the fused operation less than
// the scores of one clip, for the plain ones several times the scores of all.
func TestMemoryOfGatedAttention(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds; make test runs it")
	}
	const b, h, frames, d = 2, 9, 1024, 16
	const clip = h * frames * frames * 4 >> 10 // kB: more than malloc ever keeps for later
	kept := func(frames int, f func(q, k, v *torch.Tensor, a torch.Attention) *torch.Tensor) (kB int) {
		train(t, 3, func(s *torch.Scope) {
			draw := func(dims ...int) *torch.Tensor { return s.Normal(0, 1, dims...).RequireGrad(true) }
			q, k, v := draw(b, h, frames, d), draw(b, h, frames, d), draw(b, h, frames, d)
			a := torch.Attention{Gate: draw(b, h, frames, 1), Position: draw(h, frames, frames), Scale: .25}
			debug.FreeOSMemory()
			before := procStatus(t, "VmRSS")
			y := f(q, k, v, a)
			kB = procStatus(t, "VmRSS") - before
			y.Sum().Backward()
		})
		return kB
	}
	kept(frames, fused) // threads, caches
	assert.Less(t, kept(frames, fused), clip/2)
	// A few clips' scores are free again, which the plain operations take first; so these get more
	// than twice as many.
	assert.Greater(t, kept(frames*3/2, attention), 2*b*clip, "else the measurement sees nothing")
}

// BenchmarkAttention compares a training step of both forms at the size of WavLM Base and 16
// windows of 4 s.
func BenchmarkAttention(b *testing.B) {
	for name, f := range map[string]func(q, k, v *torch.Tensor, a torch.Attention) *torch.Tensor{"fused": fused,
		"plain": attention} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				err := torch.Train(b.Context(), 1, func(s *torch.Scope) error {
					draw := func(dims ...int) *torch.Tensor { return s.Normal(0, 1, dims...).RequireGrad(true) }
					split := func() *torch.Tensor { return draw(16, 199, 12, 64).Transpose(1, 2) }
					q, k, v, gate, position := split(), split(), split(), draw(16, 12, 199, 1), draw(12, 199, 199)
					b.StartTimer()
					f(q, k, v, torch.Attention{Gate: gate, Position: position, Scale: .125}).Sum().Backward()
					b.StopTimer()
					return nil
				})
				require.NoError(b, err)
			}
		})
	}
}

// far are queries and keys of small whole numbers, whose scores are exact in each type and reach
// from -600 to 600: most weights are 0 or 1, and what lies far below the largest score must not
// come back as noise.
func far(s *torch.Scope, d torch.DType) (q, k *torch.Tensor) {
	const frames, width = 37, 24
	draw := func(seed int) *torch.Tensor {
		x := make([]float32, frames*width)
		for i := range x {
			x[i] = float32((i*i*seed+7*i)%11 - 5)
		}
		return s.FromFloat32(x, 1, 1, frames, width).ToType(d)
	}
	return draw(3), draw(5)
}

func TestGatedAttentionOfFarScores(t *testing.T) {
	weights := func(d torch.DType) (w []float64) {
		train(t, 1, func(s *torch.Scope) {
			q, k := far(s, d)
			eye := make([]float32, 37*37)
			for i := range 37 {
				eye[38*i] = 1
			}
			v := s.FromFloat32(eye, 1, 1, 37, 37).ToType(d)
			wide := func(x *torch.Tensor) *torch.Tensor { // as wide as v
				return torch.Cat(-1, x, s.ZerosOf(d, 1, 1, 37, 13))
			}
			q, k = wide(q), wide(k)
			w = q.GatedAttention(k, v, torch.Attention{Scale: 1}).ToType(torch.Float64).Contiguous().Float64s()
		})
		return w
	}
	want, got, narrow := weights(torch.Float64), weights(torch.Float32), weights(torch.BFloat16)
	zeros := 0
	for i, w := range want {
		assert.InDelta(t, w, got[i], 2e-7+1e-6*w, "weight %d", i)
		if w < 1e-40 {
			assert.Zero(t, got[i], "weight %d", i)
			zeros++
		}
		rounded := math.Float32frombits((math.Float32bits(float32(got[i])) +
			0x7fff + math.Float32bits(float32(got[i]))>>16&1) &^ 0xffff)
		assert.Equal(t, float64(rounded), narrow[i], "weight %d in bf16 is that of f32, rounded to nearest", i)
	}
	assert.Greater(t, zeros, 100)
	assert.Less(t, zeros, 37*36)
}

// Training stops at what is not finite, so it must not get lost on the way.
func TestGatedAttentionKeepsNaN(t *testing.T) {
	for _, d := range []torch.DType{torch.Float32, torch.BFloat16, torch.Float64} {
		train(t, 1, func(s *torch.Scope) {
			q, k := far(s, d)
			q.Select(2, 3).CopyFrom(s.Full(math.NaN(), 1, 1, 24).ToType(d))
			y := q.GatedAttention(k, k, torch.Attention{Scale: 1}).ToType(torch.Float64).Contiguous().Float64s()
			for i, v := range y { // a product in bf16 may take it along to the row before
				if d != torch.BFloat16 || i/24 == 3 {
					assert.Equal(t, i/24 == 3, math.IsNaN(v), "%s: element %d", d, i)
				}
			}
		})
	}
}
