package torch_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/torch"
)

// BenchmarkOperation is what an operation costs beside its arithmetic, from Go to the kernel and
// back, its handle's end included, without a profile and with one.
func BenchmarkOperation(b *testing.B) {
	for name, ctx := range map[string]context.Context{"plain": b.Context(),
		"profiled": torch.NewProfile().Context(b.Context())} {
		b.Run(name, func(b *testing.B) {
			require.NoError(b, torch.Infer(ctx, func(s *torch.Scope) error {
				b.ReportAllocs()
				x := s.Zeros(1)
				for b.Loop() {
					x.Scoped(func(x *torch.Tensor) *torch.Tensor {
						for range 100 {
							x = x.Add(x)
						}
						return x
					})
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/operation")
				return nil
			}))
		})
	}
}
