package stepbench

import (
	"cmp"
	"context"

	"github.com/brainwavlm/bwlm/internal/brain/phases"
	"github.com/brainwavlm/bwlm/internal/stopwatch"
	"github.com/brainwavlm/bwlm/torch"
)

// peakRate measures how many floating-point operations a second the device does in a linear layer so large that nothing
// else counts, in the compute type: the best of several.
func peakRate(ctx context.Context, opt Options) (rate float64, err error) {
	defer torch.Part(ctx, phases.PhasePeak)()
	n, times := 3072, 6
	if opt.Device != torch.CPU {
		n, times = 8192, 20
	}
	n = cmp.Or(opt.product, n)
	err = torch.Do(ctx, torch.Mode{Device: opt.Device}, func(s *torch.Scope) error {
		draw := func() *torch.Tensor { return s.Normal(0, 1, n, n).ToType(opt.Compute) }
		x, w := draw(), draw()
		for range times {
			took, err := stopwatch.On(opt.Device, func() error {
				x.Scoped(func(x *torch.Tensor) *torch.Tensor { return x.Linear(w, nil).Narrow(0, 0, 1) })
				return nil
			})
			if err != nil {
				return err
			}
			rate = max(rate, 2*float64(n)*float64(n)*float64(n)/took)
		}
		return nil
	})
	return rate, err
}
