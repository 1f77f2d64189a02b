package torch_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/torch"
)

// elementwise are operations with what they are in real numbers. They are tried at xs, or at |xs|
// where positive.
var elementwise = []struct {
	name     string
	run      func(x, y *torch.Tensor) *torch.Tensor
	want     func(x, y float64) float64
	positive bool
}{
	{"Add", (*torch.Tensor).Add, func(x, y float64) float64 { return x + y }, false},
	{"Sub", (*torch.Tensor).Sub, func(x, y float64) float64 { return x - y }, false},
	{"Mul", (*torch.Tensor).Mul, func(x, y float64) float64 { return x * y }, false},
	{"Div", (*torch.Tensor).Div, func(x, y float64) float64 { return x / y }, false},
	{"AddScalar", func(x, _ *torch.Tensor) *torch.Tensor { return x.AddScalar(.3) },
		func(x, _ float64) float64 { return x + .3 }, false},
	{"MulScalar", func(x, _ *torch.Tensor) *torch.Tensor { return x.MulScalar(.3) },
		func(x, _ float64) float64 { return x * .3 }, false},
	{"Neg", func(x, _ *torch.Tensor) *torch.Tensor { return x.Neg() }, func(x, _ float64) float64 { return -x }, false},
	{"Square", func(x, _ *torch.Tensor) *torch.Tensor { return x.Square() },
		func(x, _ float64) float64 { return x * x }, false},
	{"ClampMin", func(x, _ *torch.Tensor) *torch.Tensor { return x.ClampMin(.2) },
		func(x, _ float64) float64 { return max(x, .2) }, false},
	{"Exp", func(x, _ *torch.Tensor) *torch.Tensor { return x.Exp() },
		func(x, _ float64) float64 { return math.Exp(x) }, false},
	{"Sqrt", func(x, _ *torch.Tensor) *torch.Tensor { return x.Sqrt() },
		func(x, _ float64) float64 { return math.Sqrt(x) }, true},
	{"RSqrt", func(x, _ *torch.Tensor) *torch.Tensor { return x.RSqrt() },
		func(x, _ float64) float64 { return 1 / math.Sqrt(x) }, true},
	{"Tanh", func(x, _ *torch.Tensor) *torch.Tensor { return x.Tanh() },
		func(x, _ float64) float64 { return math.Tanh(x) }, false},
	{"Sigmoid", func(x, _ *torch.Tensor) *torch.Tensor { return x.Sigmoid() },
		func(x, _ float64) float64 { return 1 / (1 + math.Exp(-x)) }, false},
	{"ReLU", func(x, _ *torch.Tensor) *torch.Tensor { return x.ReLU() },
		func(x, _ float64) float64 { return max(x, 0) }, false},
	{"SELU", func(x, _ *torch.Tensor) *torch.Tensor { return x.SELU() }, selu, false},
	{"GELU", func(x, _ *torch.Tensor) *torch.Tensor { return x.GELU() },
		func(x, _ float64) float64 { return x * .5 * math.Erfc(-x/math.Sqrt2) }, false},
	{"GELUTanh", func(x, _ *torch.Tensor) *torch.Tensor { return x.GELUTanh() }, geluTanh, false},
	{"Where", func(x, y *torch.Tensor) *torch.Tensor { return x.Gt(.1).Where(x, y) }, pick, false},
	{"MaskedFill", func(x, y *torch.Tensor) *torch.Tensor { return x.MaskedFill(y.Gt(0), .7) }, fill, false},
}

// selu has the constants of Klambauer et al. 2017.
func selu(x, _ float64) float64 {
	const scale, alpha = 1.0507009873554805, 1.6732632423543772
	if x > 0 {
		return scale * x
	}
	return scale * alpha * math.Expm1(x)
}

func geluTanh(x, _ float64) float64 {
	return .5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+.044715*x*x*x)))
}

func pick(x, y float64) float64 {
	if x > .1 {
		return x
	}
	return y
}

func fill(x, y float64) float64 {
	if y > 0 {
		return .7
	}
	return x
}

func TestElementwise(t *testing.T) {
	xs, ys := []float64{-1.5, -.5, .25, 1, 2}, []float64{.5, 2, -1, 3, -.25}
	for _, c := range elementwise {
		t.Run(c.name, func(t *testing.T) {
			train(t, 1, func(s *torch.Scope) {
				in := append([]float64(nil), xs...)
				if c.positive {
					for i := range in {
						in[i] = math.Abs(in[i])
					}
				}
				x, y := s.FromFloat64(in, 5).RequireGrad(true), s.FromFloat64(ys, 5)
				out := c.run(x, y)
				got := out.Float64s()
				out.Sum().Backward()
				slopes := x.Grad(s).Float64s()
				for i, v := range in {
					assert.InDelta(t, c.want(v, ys[i]), got[i], 1e-12)
					const h = 1e-6
					assert.InDelta(t, (c.want(v+h, ys[i])-c.want(v-h, ys[i]))/(2*h), slopes[i], 1e-8, "slope at %g", v)
				}
			})
		})
	}
}

// worked are operations of x = 0..5 in (2, 3) and z = 1, 2, 4 whose results are worked out by hand.
var worked = []struct {
	name  string
	run   func(x, z *torch.Tensor) *torch.Tensor
	shape []int
	want  []float64
}{
	{"Sum", func(x, _ *torch.Tensor) *torch.Tensor { return x.Sum() }, nil, []float64{15}},
	{"Sum of rows", func(x, _ *torch.Tensor) *torch.Tensor { return x.Sum(1) }, []int{2}, []float64{3, 12}},
	{"SumKeep", func(x, _ *torch.Tensor) *torch.Tensor { return x.SumKeep(0) }, []int{1, 3}, []float64{3, 5, 7}},
	{"Mean", func(x, _ *torch.Tensor) *torch.Tensor { return x.Mean(-1) }, []int{2}, []float64{1, 4}},
	{"MeanKeep", func(x, _ *torch.Tensor) *torch.Tensor { return x.MeanKeep(0, 1) }, []int{1, 1}, []float64{2.5}},
	{"Softmax", func(_, z *torch.Tensor) *torch.Tensor { return z.MulScalar(math.Ln2).Softmax(0) }, []int{3},
		[]float64{1. / 11, 2. / 11, 8. / 11}},
	{"LogSoftmax", func(_, z *torch.Tensor) *torch.Tensor { return z.MulScalar(math.Ln2).LogSoftmax(0).Exp() },
		[]int{3}, []float64{1. / 11, 2. / 11, 8. / 11}},
	{"Gt", func(x, _ *torch.Tensor) *torch.Tensor { return x.Gt(3) }, []int{2, 3}, []float64{0, 0, 0, 0, 1, 1}},
	{"MatMul", func(x, z *torch.Tensor) *torch.Tensor { return x.MatMul(z) }, []int{2}, []float64{10, 31}},
	{"Linear", func(x, z *torch.Tensor) *torch.Tensor { return z.Linear(x, nil) }, []int{2}, []float64{10, 31}},
	{"Linear with bias", func(x, z *torch.Tensor) *torch.Tensor { return x.Linear(x, z.Narrow(0, 0, 2)) }, []int{2, 2},
		[]float64{6, 16, 15, 52}},
	{"Eigh", func(x, _ *torch.Tensor) *torch.Tensor {
		values, v := x.MatMul(x.Transpose(0, 1)).Eigh()
		return v.Mul(values).MatMul(v.Transpose(0, 1))
	}, []int{2, 2}, []float64{5, 14, 14, 50}},
	{"SVD", func(x, _ *torch.Tensor) *torch.Tensor { u, s, v := x.SVD(); return u.Mul(s).MatMul(v) }, []int{2, 3},
		[]float64{0, 1, 2, 3, 4, 5}},
	{"CholeskyInverse", func(x, _ *torch.Tensor) *torch.Tensor {
		return x.MatMul(x.Transpose(0, 1)).CholeskyInverse()
	}, []int{2, 2}, []float64{50. / 54, -14. / 54, -14. / 54, 5. / 54}},
	{"QR", func(x, _ *torch.Tensor) *torch.Tensor { q, r := x.QR(); return q.MatMul(r) }, []int{2, 3},
		[]float64{0, 1, 2, 3, 4, 5}},
	{"Conv1d", func(x, z *torch.Tensor) *torch.Tensor {
		return x.Unsqueeze(1).Conv1d(z.Reshape(1, 1, 3), z.Narrow(0, 2, 1), 2, 1, 1)
	}, []int{2, 1, 2}, []float64{8, 9, 26, 18}},
	{"LayerNorm", func(x, z *torch.Tensor) *torch.Tensor { return x.LayerNorm(z, z, 0).MulScalar(math.Sqrt(2. / 3)) },
		[]int{2, 3},
		[]float64{math.Sqrt(2./3) - 1, math.Sqrt(8. / 3), 4*math.Sqrt(2./3) + 4, math.Sqrt(2./3) - 1, math.Sqrt(8. / 3),
			4*math.Sqrt(2./3) + 4}},
	{"GroupNorm", func(x, _ *torch.Tensor) *torch.Tensor { return x.Unsqueeze(0).GroupNorm(2, nil, nil, 0).Square() },
		[]int{1, 2, 3}, []float64{1.5, 0, 1.5, 1.5, 0, 1.5}},
	{"Reshape", func(x, _ *torch.Tensor) *torch.Tensor { return x.Reshape(-1, 2) }, []int{3, 2},
		[]float64{0, 1, 2, 3, 4, 5}},
	{"Transpose", func(x, _ *torch.Tensor) *torch.Tensor { return x.Transpose(0, 1) }, []int{3, 2},
		[]float64{0, 3, 1, 4, 2, 5}},
	{"Narrow", func(x, _ *torch.Tensor) *torch.Tensor { return x.Narrow(1, 1, 2) }, []int{2, 2}, []float64{1, 2, 4, 5}},
	{"Select", func(x, _ *torch.Tensor) *torch.Tensor { return x.Select(1, -1) }, []int{2}, []float64{2, 5}},
	{"Squeeze", func(_, z *torch.Tensor) *torch.Tensor { return z.Unsqueeze(0).Squeeze(0) }, []int{3},
		[]float64{1, 2, 4}},
	{"Expand", func(_, z *torch.Tensor) *torch.Tensor { return z.Expand(2, -1) }, []int{2, 3},
		[]float64{1, 2, 4, 1, 2, 4}},
	{"Cat", func(x, z *torch.Tensor) *torch.Tensor { return torch.Cat(0, x, z.Unsqueeze(0)) }, []int{3, 3},
		[]float64{0, 1, 2, 3, 4, 5, 1, 2, 4}},
	{"Stack", func(_, z *torch.Tensor) *torch.Tensor { return torch.Stack(1, z, z) }, []int{3, 2},
		[]float64{1, 1, 2, 2, 4, 4}},
	{"IndexSelect", func(x, _ *torch.Tensor) *torch.Tensor { return x.IndexSelect(1, []int{2, 0, 2}) }, []int{2, 3},
		[]float64{2, 0, 2, 5, 3, 5}},
	{"Clone", func(x, _ *torch.Tensor) *torch.Tensor {
		y := x.Clone()
		y.CopyFrom(x.Neg())
		return y.Add(x)
	}, []int{2, 3}, []float64{0, 0, 0, 0, 0, 0}},
	{"AddProduct", func(x, _ *torch.Tensor) *torch.Tensor {
		y := x.Clone()
		y.AddProduct(x.Narrow(1, 0, 2), x.Narrow(1, 1, 2).MatMul(x))
		return y
	}, []int{2, 3}, []float64{15, 25, 35, 81, 127, 173}},
	{"Detach", func(x, _ *torch.Tensor) *torch.Tensor { return x.Detach() }, []int{2, 3}, []float64{0, 1, 2, 3, 4, 5}},
}

func TestWorkedByHand(t *testing.T) {
	for _, d := range []torch.DType{torch.Float32, torch.Float64} {
		for _, c := range worked {
			t.Run(c.name+" "+d.String(), func(t *testing.T) {
				infer(t, func(s *torch.Scope) {
					x, z := s.FromFloat64([]float64{0, 1, 2, 3, 4, 5}, 2, 3).ToType(d),
						s.FromFloat64([]float64{1, 2, 4}, 3).ToType(d)
					got := c.run(x, z)
					assert.Equal(t, c.shape, got.Shape())
					assert.Equal(t, len(c.shape), got.Rank())
					tolerance := map[torch.DType]float64{torch.Float32: 1e-5, torch.Float64: 1e-12}[d]
					assert.InDeltaSlice(t, c.want, got.ToType(torch.Float64).Float64s(), tolerance)
				})
			})
		}
	}
}

func TestGradientsOfTheScope(t *testing.T) {
	train(t, 1, func(s *torch.Scope) {
		w := s.FromFloat32([]float32{3, 4}, 2).RequireGrad(true)
		assert.True(t, w.RequiresGrad())
		assert.False(t, w.HasGrad())
		w.Square().Sum().Backward()
		w.Sum().Backward()
		assert.True(t, w.HasGrad())
		assert.Equal(t, []float32{7, 9}, w.Grad(s).Float32s(), "gradients add up")
		torch.ClearGrad(w)
		assert.False(t, w.HasGrad())
		assert.False(t, w.Detach().RequiresGrad())
		assert.False(t, w.RequireGrad(false).RequiresGrad())
	})
}

func TestSetData(t *testing.T) {
	noLeak(t)
	arena := torch.NewArena()
	defer arena.Close()
	require.NoError(t, torch.Infer(t.Context(), func(s *torch.Scope) error {
		w := arena.Keep(s.Full(1, 2)).RequireGrad(true)
		old := arena.Keep(w)
		u := s.Full(5, 2)
		w.SetData(u)
		assert.Equal(t, []float32{5, 5}, w.Float32s())
		assert.Equal(t, []float32{1, 1}, old.Float32s())
		u.CopyFrom(s.Full(6, 2))
		assert.Equal(t, []float32{6, 6}, w.Float32s(), "the elements are shared")
		w.SetData(u.ToType(torch.BFloat16))
		assert.Equal(t, torch.BFloat16, w.DType())
		w.SetData(old)
		assert.Equal(t, []float32{1, 1}, w.Float32s())
		assert.True(t, w.RequiresGrad())
		return nil
	}))
}

// A weight that is overwritten between its use and Backward would give a wrong gradient; it gives
// an error.
func TestCopyFromIsSeenByBackward(t *testing.T) {
	noLeak(t)
	err := torch.Train(t.Context(), 1, func(s *torch.Scope) error {
		w := s.Full(3, 2).RequireGrad(true)
		y := w.Square().Sum()
		w.CopyFrom(s.Full(5, 2))
		y.Backward()
		return nil
	})
	require.ErrorContains(t, err, "modified by an inplace operation")
}
