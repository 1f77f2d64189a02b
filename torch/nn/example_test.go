package nn_test

import (
	"context"
	"fmt"

	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// perceptron is a model with one hidden layer.
type perceptron struct{ hidden, out nn.Linear }

// newPerceptron names the parameters of the model: hidden.weight, hidden.bias, out.weight, out.bias.
func newPerceptron(b *nn.Builder, in, width, out int) *perceptron {
	m := &perceptron{}
	b.Linear(&m.hidden, "hidden", in, width)
	b.Linear(&m.out, "out", width, out)
	return m
}

// forward maps x (n, in) to (n, out).
func (m *perceptron) forward(x *torch.Tensor) *torch.Tensor {
	return m.out.Forward(m.hidden.Forward(x).Tanh())
}

// A model of one's own learns XOR with Adam.
func Example() {
	ctx := context.Background()
	store := nn.NewStore()
	defer store.Close()
	session := nn.Session{Stores: []*nn.Store{store}}

	var model *perceptron
	var adam *nn.Adam
	err := session.Train(ctx, 1, func(s *torch.Scope) error {
		err := store.Build(s, nn.Fresh{}, nil, func(b *nn.Builder) { model = newPerceptron(b, 2, 8, 1) })
		adam = nn.NewAdam(s, nn.AdamOptions{}, nn.Group{LR: .05}.With("", store, nil))
		return err
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer adam.Close()

	x, y := []float32{0, 0, 0, 1, 1, 0, 1, 1}, []float32{0, 1, 1, 0}
	for step := uint64(0); step < 200 && err == nil; step++ {
		err = session.Train(ctx, step, func(s *torch.Scope) error {
			loss := model.forward(s.FromFloat32(x, 4, 2)).Sub(s.FromFloat32(y, 4, 1)).Square().Mean()
			loss.Backward()
			adam.Step()
			adam.ClearGrad()
			return nil
		})
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	err = session.Infer(ctx, func(s *torch.Scope) error {
		for i, v := range model.forward(s.FromFloat32(x, 4, 2)).Float32s() {
			fmt.Printf("%g xor %g = %.1f\n", x[2*i], x[2*i+1], v)
		}
		return nil
	})
	fmt.Println(store.Numel(), "parameters,", err)
	// Output:
	// 0 xor 0 = 0.0
	// 0 xor 1 = 1.0
	// 1 xor 0 = 1.0
	// 1 xor 1 = 0.0
	// 33 parameters, <nil>
}
