//go:build cuda

package torch_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/torchtest"
	"github.com/brainwavlm/bwlm/torch"
)

// parity is how far the CPU and a device may be apart, relative to the largest value: they add up
// in other orders.
const parity = 1e-4

// devices are the CPU and the first CUDA device.
var devices = []torch.Device{torch.CPU, torch.CUDA(0)}

// needsDevice skips a test where there is no device.
func needsDevice(t *testing.T) {
	t.Helper()
	if torch.CUDADevices() == 0 {
		t.Skipf("%s is not cuda", torchtest.Variable)
	}
}

// onDevices runs fn on the CPU and the device, and compares what it gives.
func onDevices(t *testing.T, mode torch.Mode, fn func(s *torch.Scope) []*torch.Tensor) {
	t.Helper()
	needsDevice(t)
	var results [2][][]float64
	for i, d := range devices {
		mode.Device = d
		require.NoError(t, do(t, mode, func(s *torch.Scope) {
			for _, x := range fn(s) {
				assert.Equal(t, d, x.Device())
				results[i] = append(results[i], x.Detach().ToType(torch.Float64).Float64s())
			}
		}))
	}
	require.Len(t, results[1], len(results[0]))
	for i, want := range results[0] {
		most := 0.
		for _, v := range want {
			most = max(most, math.Abs(v))
		}
		assert.InDeltaSlice(t, want, results[1][i], parity*max(most, 1e-3), "tensor %d", i)
	}
}

func one(x *torch.Tensor) []*torch.Tensor { return []*torch.Tensor{x} }

func TestCUDAOperations(t *testing.T) {
	for _, c := range elementwise {
		t.Run(c.name, func(t *testing.T) {
			onDevices(t, torch.Mode{Grad: true, Seed: 1}, func(s *torch.Scope) []*torch.Tensor {
				x, y := s.Normal(0, 1, 1000), s.Normal(0, 1, 1000)
				if c.positive {
					x = x.Square().AddScalar(.1)
				}
				if c.name == "Div" {
					y = y.Square().AddScalar(.1)
				}
				x = x.Detach().RequireGrad(true)
				out := c.run(x, y)
				out.Sum().Backward()
				return []*torch.Tensor{out, x.Grad(s)}
			})
		})
	}
	for _, c := range worked {
		t.Run(c.name, func(t *testing.T) {
			onDevices(t, torch.Mode{}, func(s *torch.Scope) []*torch.Tensor {
				return one(c.run(s.FromFloat32([]float32{0, 1, 2, 3, 4, 5}, 2, 3),
					s.FromFloat32([]float32{1, 2, 4}, 3)))
			})
		})
	}
}

func TestCUDADTypes(t *testing.T) {
	for _, from := range dtypes {
		for _, to := range dtypes {
			onDevices(t, torch.Mode{}, func(s *torch.Scope) []*torch.Tensor {
				x := s.FromBools([]bool{true, false, true}, 3).ToType(from)
				assert.Equal(t, x.Bytes(), s.FromBytes(from, x.Bytes(), 3).Bytes())
				return []*torch.Tensor{x.ToType(to), s.ZerosOf(to, 3), x.Add(s.ZerosOf(to, 3))}
			})
		}
	}
}

func TestCUDACopies(t *testing.T) {
	onDevices(t, torch.Mode{}, func(s *torch.Scope) []*torch.Tensor {
		x := s.Full(2, 3)
		home := x.To(torch.CPU).Clone() // else it is x itself on the CPU
		assert.Equal(t, torch.CPU, home.Device())
		assert.Equal(t, []float32{2, 2, 2}, home.Float32s())
		x.CopyFrom(home.MulScalar(2))
		assert.Equal(t, 4., x.Select(0, 1).Item())
		assert.True(t, x.AllFinite())
		assert.Same(t, x, x.To(x.Device()))
		return []*torch.Tensor{x, home.Neg().To(x.Device())}
	})
}

// The same seed gives the same numbers and the same dropout on each device.
func TestCUDARandomNumbers(t *testing.T) {
	onDevices(t, torch.Mode{Dropout: true, Seed: 5}, func(s *torch.Scope) []*torch.Tensor {
		ones := s.Full(1, 100_000)
		return []*torch.Tensor{s.Uniform(-1, 1, 50), s.Normal(0, 1, 50), ones.Dropout(.3),
			ones.ToType(torch.BFloat16).Dropout(.3)}
	})
}

func TestCUDAGatedAttention(t *testing.T) {
	for _, c := range attentionCases {
		for _, p := range []float64{0, .2} {
			t.Run(fmt.Sprintf("%+v dropout %g", c, p), func(t *testing.T) {
				onDevices(t, torch.Mode{Grad: true, Dropout: true, Seed: 5}, func(s *torch.Scope) []*torch.Tensor {
					draw := func(dims ...int) *torch.Tensor { return s.Normal(0, 1, dims...).RequireGrad(true) }
					q, k, v := draw(c.b, c.h, c.t, c.d), draw(c.b, c.h, c.t, c.d), draw(c.b, c.h, c.t, c.d)
					leaves := []*torch.Tensor{q, k, v}
					a := torch.Attention{Scale: .4, Dropout: p}
					if c.position {
						a.Position = draw(c.h, c.t, c.t)
						leaves = append(leaves, a.Position)
					}
					if c.gate {
						a.Gate = draw(c.b, c.h, c.t, 1)
						leaves = append(leaves, a.Gate)
					}
					if c.mask && c.t > 1 {
						a.KeyMask = s.Zeros(c.b, 1, 1, c.t)
						a.KeyMask.Select(3, c.t-1).CopyFrom(s.Full(math.Inf(-1), c.b, 1, 1))
					}
					y := q.GatedAttention(k, v, a)
					y.Mul(draw(c.b, c.h, c.t, c.d).Detach()).Sum().Backward()
					out := one(y)
					for _, x := range leaves {
						out = append(out, x.Grad(s))
					}
					return out
				})
			})
		}
	}
}

func TestCUDAConvolution(t *testing.T) { // of f32, not of the 10 bits that cuDNN would take
	onDevices(t, torch.Mode{Seed: 2}, func(s *torch.Scope) []*torch.Tensor {
		return one(s.Normal(0, 1, 2, 64, 400).Conv1d(s.Normal(0, 1, 64, 4, 128), s.Normal(0, 1, 64), 1, 64, 16))
	})
}

// Some steps of training: the loss and the weights.
func TestCUDATraining(t *testing.T) {
	noLeak(t)
	onDevices(t, torch.Mode{Grad: true, Dropout: true, Seed: 3}, func(s *torch.Scope) (out []*torch.Tensor) {
		arena := torch.NewArena()
		defer arena.Close()
		m := &model{width: 64}
		m.build(s, arena)
		st := adamFor(s, arena, m.params...)
		for range 3 {
			x := s.Normal(0, 1, 4, frames, m.width)
			loss := m.forward(x).Sub(x.MulScalar(2)).Square().Mean()
			loss.Backward()
			torch.AdamStep(st, 1e-3, .9, .999, 1e-8, .01, true)
			torch.ClearGrad(m.params...)
			out = append(out, loss)
		}
		for _, p := range m.params {
			out = append(out, s.Attach(p))
		}
		return out
	})
}

func TestCUDAPeakMemory(t *testing.T) {
	needsDevice(t)
	const size = 64 << 20
	require.NoError(t, do(t, torch.Mode{Device: torch.CUDA(0)}, func(s *torch.Scope) { s.Zeros(size / 4) }))
	require.NoError(t, torch.CUDA(0).Wait())
	peak := torch.CUDA(0).PeakMemory()
	assert.GreaterOrEqual(t, peak, int64(size))
	require.NoError(t, do(t, torch.Mode{Device: torch.CUDA(0)}, func(s *torch.Scope) { s.Zeros(8) }))
	assert.Equal(t, peak, torch.CUDA(0).PeakMemory(), "the most, not what is left")
}

// The same products, sums and scattered additions are bit-identical each time.
func TestCUDASameBits(t *testing.T) {
	needsDevice(t)
	run := func() (out [][]float32) {
		require.NoError(t, do(t, torch.Mode{Grad: true, Seed: 4, Device: torch.CUDA(0)}, func(s *torch.Scope) {
			w, kernel := s.Normal(0, 1, 32, 300).RequireGrad(true), s.Normal(0, 1, 300, 30, 128).RequireGrad(true)
			places := make([]int, 5000) // many for each row
			for i := range places {
				places[i] = i * i % 32
			}
			x := w.IndexSelect(0, places).Reshape(10, 500, 300).Transpose(1, 2) // (10, 300, 500)
			x.Conv1d(kernel, nil, 1, 64, 10).Square().Sum().Backward()
			out = [][]float32{w.Grad(s).Float32s(), kernel.Grad(s).Float32s()}
		}))
		return out
	}
	want := run()
	for range 3 {
		assert.Equal(t, want, run())
	}
}

func TestCUDAMixedDevicesAreAnError(t *testing.T) {
	needsDevice(t)
	assert.Contains(t, failure(t, func(s *torch.Scope) { s.Zeros(2).Add(s.Zeros(2).To(torch.CUDA(0))) }).Msg, "device")
	assert.True(t, failure(t, func(s *torch.Scope) {
		s.Zeros(1, 1).To(torch.CUDA(0)).Expand(1<<20,
			1<<20).Exp()
	}).OutOfMemory)
}
