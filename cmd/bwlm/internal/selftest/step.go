// Package selftest checks in milliseconds that libtorch computes correctly on this machine: one
// training step of a linear layer, whose loss and gradient are also computed in Go.
package selftest

import (
	"context"
	"math"
	"time"

	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

const (
	rows  = 64
	width = 32
)

// Step runs one step on a device and returns how long it took, the first use of the device
// included. A result that is not what it must be is a *fault.Error of kind Unavailable: the library
// or the device is at fault, not the user's data.
func Step(ctx context.Context, device torch.Device) (time.Duration, error) {
	store := nn.NewStore()
	defer store.Close()
	session := nn.Session{Stores: []*nn.Store{store}, Device: device}
	start := time.Now()
	err := session.Train(ctx, 1, func(s *torch.Scope) error {
		var layer nn.Linear
		if err := store.Build(s, nn.Fresh{}, nil, func(b *nn.Builder) {
			b.Linear(&layer, "layer", width, width)
		}); err != nil {
			return err
		}
		opt := nn.NewAdam(s, nn.AdamOptions{}, nn.Group{Names: []string{"weight", "bias"}, Params: store.Train(nil),
			LR: 1e-3})
		defer opt.Close()
		x, y := s.Normal(0, 1, rows, width), s.Normal(0, 1, rows, width)
		loss := func() *torch.Tensor { return layer.Forward(x).Sub(y).Square().Mean() }

		before := loss()
		before.Backward()
		weight, bias := store.Param("layer.weight"), store.Param("layer.bias")
		wantLoss, wantGrad := byHand(x.Float32s(), y.Float32s(), weight.Float32s(), bias.Float32s())
		if off := math.Abs(before.Item() - wantLoss); !(off <= 1e-5*wantLoss) {
			return wrong(device, "a loss is %g, must be %g", before.Item(), wantLoss)
		}
		for i, g := range weight.Grad(s).Float32s() {
			if off := math.Abs(float64(g) - wantGrad[i]); !(off <= 1e-6) {
				return wrong(device, "a gradient is %g, must be %g", g, wantGrad[i])
			}
		}
		opt.Step()
		if after := loss().Item(); !(after < before.Item()) {
			return wrong(device, "the loss went from %g to %g", before.Item(), after)
		}
		return nil
	})
	return time.Since(start), err
}

func wrong(device torch.Device, why string, args ...any) error {
	return fault.New(fault.Unavailable, "self-test", device.String(), why, args...).
		WithHint("libtorch does not compute right here: fetch it again, and check the driver if this is a GPU")
}

// byHand returns the mean of (xWᵀ + b - y)² and its gradient with respect to W, (width, width).
func byHand(x, y, w, b []float32) (loss float64, grad []float64) {
	grad = make([]float64, width*width)
	for r := range rows {
		in := x[r*width : (r+1)*width]
		for o := range width {
			off := float64(b[o]) - float64(y[r*width+o])
			for i, v := range in {
				off += float64(v) * float64(w[o*width+i])
			}
			loss += off * off / (rows * width)
			for i, v := range in {
				grad[o*width+i] += 2 * off * float64(v) / (rows * width)
			}
		}
	}
	return loss, grad
}
