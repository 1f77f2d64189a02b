package torch_test

import (
	"context"
	"fmt"

	"github.com/brainwavlm/bwlm/torch"
)

func ExampleInfer() {
	err := torch.Infer(context.Background(), func(s *torch.Scope) error {
		x := s.FromFloat32([]float32{1, 2, 3, 4}, 2, 2)
		fmt.Println(x.MatMul(x).Float32s())
		return nil
	})
	fmt.Println(err)
	// Output:
	// [7 10 15 22]
	// <nil>
}

// Mathematics panics, and the closure's door returns it as an error.
func ExampleInfer_error() {
	err := torch.Infer(context.Background(), func(s *torch.Scope) error {
		s.Zeros(2, 3).Reshape(4)
		return nil
	})
	fmt.Println(err)
	// Output: torch: reshape of [2, 3]: shape '[4]' is invalid for input of size 6
}

// A line through four points by gradient descent. The weights live in an arena, since they outlive
// each step.
func ExampleTrain() {
	ctx := context.Background()
	arena := torch.NewArena()
	defer arena.Close()
	var slope, offset *torch.Tensor
	err := torch.Infer(ctx, func(s *torch.Scope) error {
		slope, offset = arena.Keep(s.Zeros(1)).RequireGrad(true), arena.Keep(s.Zeros(1)).RequireGrad(true)
		return nil
	})
	for step := uint64(0); step < 200 && err == nil; step++ {
		err = torch.Train(ctx, step, func(s *torch.Scope) error {
			x, y := s.FromFloat32([]float32{-1, 0, 1, 2}, 4), s.FromFloat32([]float32{-1, 1, 3, 5}, 4)
			x.Mul(slope).Add(offset).Sub(y).Square().Mean().Backward()
			for _, w := range []*torch.Tensor{slope, offset} {
				w.CopyFrom(s.Frozen(
					func(s *torch.Scope) *torch.Tensor { return s.Attach(w).Sub(w.Grad(s).MulScalar(.1)) }))
			}
			torch.ClearGrad(slope, offset)
			return nil
		})
	}
	fmt.Printf("%.3f x + %.3f, %v\n", slope.Item(), offset.Item(), err)
	// Output: 2.000 x + 1.000, <nil>
}

func ExampleTensor_Scoped() {
	_ = torch.Infer(context.Background(), func(s *torch.Scope) error {
		x := s.Full(1, 3)
		before := torch.Live()
		for range 100 {
			x = x.Scoped(func(x *torch.Tensor) *torch.Tensor { return x.MulScalar(2).Add(x).Softmax(0) })
		}
		fmt.Println(torch.Live()-before, "tensors for 100 layers")
		return nil
	})
	// Output: 100 tensors for 100 layers
}

func ExampleProfile() {
	p := torch.NewProfile()
	ctx := p.Context(context.Background())
	step := func() error {
		defer torch.Part(ctx, "step")()
		return torch.Train(ctx, 1, func(s *torch.Scope) error {
			w := s.Normal(0, 1, 8, 8).RequireGrad(true)
			for layer := range 2 {
				end := s.Part("layer", layer)
				w = w.MatMul(w).Tanh()
				end()
			}
			w.Sum().Backward()
			return nil
		})
	}
	fmt.Println(step())
	for _, part := range p.Report().Phases[0].Parts {
		for _, n := range part.Numbers {
			fmt.Println(part.Name, n.Number, n.Forward > 0, n.Backward > 0)
		}
	}
	// Output:
	// <nil>
	// layer 0 true true
	// layer 1 true true
}
