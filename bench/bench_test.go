package bench

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/loss"
	"github.com/brainwavlm/bwlm/brain/ridge"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// WavLM Base, and windows of 4 s.
const (
	hidden, inner, heads = 768, 3072, 12
	windows, frames      = 16, 199
)

// measure runs a step in a closure with gradients; what start makes is made outside of the measured time.
func measure(b *testing.B, flop float64, start func(s *torch.Scope) (step func())) {
	b.Helper()
	for b.Loop() {
		require.NoError(b, torch.Train(b.Context(), 1, func(s *torch.Scope) error {
			b.StopTimer()
			step := start(s)
			b.StartTimer()
			step()
			return nil
		}))
	}
	if flop > 0 {
		b.ReportMetric(flop*float64(b.N)/1e9/b.Elapsed().Seconds(), "GFLOP/s")
	}
}

// BenchmarkAttention is the gated attention of one layer, forward and back.
func BenchmarkAttention(b *testing.B) {
	for _, frames := range []int{99, 199, 399, 1599} { // 2, 4, 8 and 32 s
		windows := max(1, windows*199/frames)
		b.Run(fmt.Sprintf("windows=%d/frames=%d", windows, frames), func(b *testing.B) {
			// two products forward, five back
			flop := 14 * float64(windows*heads*frames) * float64(frames) * hidden / heads
			measure(b, flop, func(s *torch.Scope) func() {
				draw := func(dims ...int) *torch.Tensor { return s.Normal(0, 1, dims...).RequireGrad(true) }
				split := func() *torch.Tensor { return draw(windows, frames, heads, hidden/heads).Transpose(1, 2) }
				q, k, v, gate := split(), split(), split(), draw(windows, heads, frames, 1)
				how := torch.Attention{Gate: gate, Position: s.Normal(0, 1, heads, frames, frames), Scale: .125}
				return func() { q.GatedAttention(k, v, how).Sum().Backward() }
			})
		})
	}
}

// BenchmarkLinear is a frozen linear layer of the feed-forward part, forward and back to its input.
func BenchmarkLinear(b *testing.B) {
	for _, d := range []torch.DType{torch.Float32, torch.BFloat16} {
		b.Run(d.String(), func(b *testing.B) {
			measure(b, 4*windows*frames*hidden*inner, func(s *torch.Scope) func() {
				x := s.Normal(0, 1, windows, frames, hidden).ToType(d).RequireGrad(true)
				w := s.Normal(0, .02, inner, hidden).ToType(d)
				return func() { x.Linear(w, nil).Sum().Backward() }
			})
		})
	}
}

// BenchmarkReadout is a step of the readout alone: 10 rows of four delays to all voxels, the spatial loss, Adam.
func BenchmarkReadout(b *testing.B) {
	const rows, delays, bottleneck = 10, 4, 100
	for _, voxels := range []int{20_000, 95_000} {
		b.Run(fmt.Sprintf("voxels=%d", voxels), func(b *testing.B) {
			store := nn.NewStore()
			defer store.Close()
			var narrow, wide nn.Linear
			var adam *nn.Adam
			require.NoError(b, torch.Infer(b.Context(), func(s *torch.Scope) error {
				err := store.Build(s, nn.Fresh{}, nil, func(b *nn.Builder) {
					b.Linear(&narrow, "bottleneck", hidden*delays, bottleneck)
					b.Linear(&wide, "linear", bottleneck, voxels)
				})
				adam = nn.NewAdam(s, nn.AdamOptions{}, nn.Group{LR: 1e-3}.With("", store, nil))
				return err
			}))
			defer adam.Close()
			measure(b, 0, func(s *torch.Scope) func() {
				x, want := s.Normal(0, 1, rows, hidden*delays), s.Normal(0, 1, rows, voxels)
				return func() {
					loss.Spatial(wide.Forward(narrow.Forward(x)), want, nil).Backward()
					adam.Step()
					adam.ClearGrad()
				}
			})
		})
	}
}

// BenchmarkRidge chooses one of ten penalties for each voxel on three folds and fits it.
func BenchmarkRidge(b *testing.B) {
	for _, size := range []struct{ rows, features, voxels int }{{2000, 3072, 5000}, {4000, 768, 20_000}} {
		b.Run(fmt.Sprintf("rows=%d/features=%d/voxels=%d", size.rows, size.features, size.voxels), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 1))
			draw := func(n int) []float32 {
				x := make([]float32, n)
				for i := range x {
					x[i] = float32(r.NormFloat64())
				}
				return x
			}
			x, y := draw(size.rows*size.features), draw(size.rows*size.voxels)
			for b.Loop() {
				_, err := ridge.Fit(b.Context(), x, y, size.rows, ridge.Options{})
				require.NoError(b, err)
			}
		})
	}
}
