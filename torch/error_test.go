package torch_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/brainwavlm/bwlm/torch"
)

func TestErrorNamesOperationAndShapes(t *testing.T) {
	e := failure(t, func(s *torch.Scope) { s.Zeros(2, 3).MatMul(s.Zeros(4, 5)) })
	assert.Equal(t, "matmul", e.Op)
	assert.Equal(t, [][]int{{2, 3}, {4, 5}}, e.Shapes)
	assert.Contains(t, e.Error(), "torch: matmul of [2, 3] and [4, 5]: ")
	assert.False(t, e.OutOfMemory)
}

// Every kernel that can refuse its operands does so with an Error in its own name, and leaves no
// tensor behind.
func TestEveryOperationFailsWithAnError(t *testing.T) {
	type S = torch.Scope
	floats := func(s *S, dims ...int) *torch.Tensor { return s.Normal(0, 1, dims...) }
	for name, fn := range map[string]func(s *S){
		"add":              func(s *S) { floats(s, 2).Add(floats(s, 3)) },
		"sub":              func(s *S) { floats(s, 2).Sub(floats(s, 3)) },
		"mul":              func(s *S) { floats(s, 2).Mul(floats(s, 3)) },
		"div":              func(s *S) { floats(s, 2).Div(floats(s, 3)) },
		"where":            func(s *S) { floats(s, 2).Where(floats(s, 2), floats(s, 2)) },
		"masked_fill":      func(s *S) { floats(s, 2).MaskedFill(floats(s, 2), 0) },
		"sum":              func(s *S) { floats(s, 2).Sum(1) },
		"mean":             func(s *S) { s.ZerosOf(torch.Int64, 1).Mean() },
		"softmax":          func(s *S) { floats(s, 2).Softmax(3) },
		"log_softmax":      func(s *S) { floats(s, 2).LogSoftmax(3) },
		"linear":           func(s *S) { floats(s, 2, 3).Linear(floats(s, 4, 5), nil) },
		"eigh":             func(s *S) { floats(s, 2, 3).Eigh() },
		"svd":              func(s *S) { floats(s, 2).SVD() },
		"cholesky_inverse": func(s *S) { floats(s, 2, 2).MulScalar(-1).CholeskyInverse() },
		"qr":               func(s *S) { floats(s, 2).QR() },
		"conv1d":           func(s *S) { floats(s, 1, 2, 9).Conv1d(floats(s, 4, 3, 3), nil, 1, 0, 1) },
		"layer_norm":       func(s *S) { floats(s, 2, 3).LayerNorm(floats(s, 4), nil, 1e-5) },
		"group_norm":       func(s *S) { floats(s, 1, 3, 5).GroupNorm(2, nil, nil, 1e-5) },
		"gated_attention": func(s *S) {
			floats(s, 2, 3).GatedAttention(floats(s, 2, 3), floats(s, 2, 3),
				torch.Attention{})
		},
		"reshape":      func(s *S) { floats(s, 5).Reshape(2, 2) },
		"transpose":    func(s *S) { floats(s, 5).Transpose(0, 2) },
		"narrow":       func(s *S) { floats(s, 5).Narrow(0, 3, 3) },
		"select":       func(s *S) { floats(s, 5).Select(0, 5) },
		"unsqueeze":    func(s *S) { floats(s, 5).Unsqueeze(3) },
		"squeeze":      func(s *S) { floats(s, 5).Squeeze(3) },
		"expand":       func(s *S) { floats(s, 5).Expand(6) },
		"cat":          func(s *S) { torch.Cat(0, floats(s, 2, 3), floats(s, 2, 4)) },
		"stack":        func(s *S) { torch.Stack(0, floats(s, 2), floats(s, 3)) },
		"index_select": func(s *S) { floats(s, 5).IndexSelect(0, []int{5}) },
		"to":           func(s *S) { floats(s, 5).To(torch.CUDA(99)) },
		"zeros":        func(s *S) { s.Zeros(-1) },
		"full":         func(s *S) { s.Full(1, -1) },
		"uniform":      func(s *S) { s.Uniform(1, 0, 5) },
		"normal":       func(s *S) { s.Normal(0, -1, 5) },
		"from_bytes":   func(s *S) { s.FromFloat32([]float32{1}, 2) },
		"to_bytes":     func(s *S) { floats(s, 5).Float64s() },
		"item":         func(s *S) { floats(s, 5).Item() },
		"dim":          func(s *S) { floats(s, 5).Dim(1) },
		"copy_":        func(s *S) { floats(s, 2, 5).CopyFrom(floats(s, 5)) },
		"add_product":  func(s *S) { floats(s, 2, 5).AddProduct(floats(s, 2, 3), floats(s, 4, 5)) },
		"set_data":     func(s *S) { floats(s, 2, 5).SetData(floats(s, 5)) },
		"max_abs":      func(s *S) { floats(s, 0).MaxAbs() },
		"backward":     func(s *S) { floats(s, 1).Backward() },
		"grad":         func(s *S) { floats(s, 1).Grad(s) },
		"require_grad": func(s *S) { s.ZerosOf(torch.Int64, 1).RequireGrad(true) },
		"adam": func(s *S) {
			torch.AdamStep(torch.AdamState{Params: []*torch.Tensor{s.Zeros(1)}}, 1, 0, 0, 0, 0,
				false)
		},
		"dropout": func(s *S) { floats(s, 1).Dropout(1.5) },
	} {
		t.Run(name, func(t *testing.T) {
			e := failure(t, fn)
			assert.Equal(t, name, e.Op)
			assert.NotEmpty(t, e.Msg)
		})
	}
}

// What changes tensors in place refuses to run where no worker does.
func TestChangesAreForClosures(t *testing.T) {
	noLeak(t)
	arena := torch.NewArena()
	defer arena.Close()
	var w *torch.Tensor
	err := torch.Infer(t.Context(), func(s *torch.Scope) error { w = arena.Keep(s.Zeros(1)); return nil })
	assert.NoError(t, err)
	for name, fn := range map[string]func(){
		"copy":     func() { w.CopyFrom(w) },
		"set_data": func() { w.SetData(w) },
		"adam":     func() { torch.AdamStep(torch.AdamState{}, 1, 0, 0, 0, 0, false) },
	} {
		func() {
			defer func() { assert.ErrorContains(t, recover().(error), "outside a closure", name) }()
			fn()
		}()
	}
}

// More memory than there are addresses: libtorch's allocator fails in each of these, in one with
// several results too.
func TestOutOfMemoryIsAnError(t *testing.T) {
	// a petabyte if it were real
	huge := func(s *torch.Scope) *torch.Tensor { return s.Zeros(1, 1).Expand(1<<24, 1<<24) }
	for name, fn := range map[string]func(s *torch.Scope){
		"zeros":      func(s *torch.Scope) { s.Zeros(1<<24, 1<<24) },
		"contiguous": func(s *torch.Scope) { huge(s).Contiguous() },
		"exp":        func(s *torch.Scope) { huge(s).Exp() },
		"eigh":       func(s *torch.Scope) { huge(s).Eigh() },
		"svd":        func(s *torch.Scope) { huge(s).SVD() },
		"qr":         func(s *torch.Scope) { huge(s).QR() },
	} {
		t.Run(name, func(t *testing.T) { assert.True(t, failure(t, fn).OutOfMemory) })
	}
}
