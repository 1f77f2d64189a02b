package loss

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/testnum"
	"github.com/brainwavlm/bwlm/torch"
)

// The sums of parts of the voxels give loss and gradient of all.
func TestALossByColumnsIsThatOfAllVoxels(t *testing.T) {
	const rows, voxels = 7, 83
	cuts := []int{0, 16, 32, 70, voxels}
	train := experiment.Default().Train
	for _, name := range []experiment.Loss{experiment.LossSpatial, experiment.LossTemporal, experiment.LossMSE,
		experiment.LossCosineL2, experiment.LossNTXent} {
		for _, compat := range []experiment.Compat{{}, {ShrunkenLossR: true}, {ConstantRowGradient: true},
			{ShrunkenLossR: true, ConstantRowGradient: true}} {
			for _, isWeighted := range []bool{false, true} {
				title := fmt.Sprint(name, compat.ShrunkenLossR, compat.ConstantRowGradient, isWeighted)
				t.Run(title, func(t *testing.T) {
					train.Loss = name
					whole, _, err := New(train, voxels, compat)
					require.NoError(t, err)
					parts := ByColumns(name, train, compat)
					p, y := testnum.Values(rows*voxels, 1), testnum.Values(rows*voxels, 2)
					for v := range voxels { // likeness, another mean, and a row of one value, which weights make noise
						if !isWeighted {
							p[v] = .25
						}
						for r := range rows {
							y[r*voxels+v] += 3 + .5*p[r*voxels+v]
						}
					}
					w := make([]float32, voxels)
					for v := range w {
						w[v] = 2 * float32(v) / (voxels - 1)
					}
					require.NoError(t, torch.Train(t.Context(), 1, func(s *torch.Scope) error {
						pred := s.FromFloat32(p, rows, voxels).RequireGrad(true)
						want, weights := s.FromFloat32(y, rows, voxels), s.FromFloat32(w, voxels)
						cut := func(x *torch.Tensor, d, from, to int) *torch.Tensor {
							if x == nil {
								return nil
							}
							return x.Narrow(d, from, to-from)
						}
						if !isWeighted {
							weights = nil
						}
						wantLoss := whole(pred, want, weights)
						wantLoss.Backward()
						wantGrad := pred.Grad(s).Float32s()

						again := s.FromFloat32(p, rows, voxels).RequireGrad(true)
						total := make([]float64, parts.Numbers(rows))
						var sums []*torch.Tensor
						for i, from := range cuts[:len(cuts)-1] {
							one := parts.Sums(cut(again, 1, from, cuts[i+1]), cut(want, 1, from, cuts[i+1]),
								cut(weights, 0, from, cuts[i+1]))
							sums = append(sums, one)
							for k, x := range one.Float64s() {
								total[k] += x
							}
						}
						all := s.FromFloat64(total, len(total)).RequireGrad(true)
						loss := parts.Loss(all, rows, voxels)
						loss.Backward()
						assert.InDelta(t, wantLoss.Item(), loss.Item(), 1e-6)
						for _, one := range sums {
							one.Mul(all.Grad(s)).Sum().Backward()
						}
						largest := 0.
						for _, g := range wantGrad {
							largest = math.Max(largest, math.Abs(float64(g)))
						}
						require.Positive(t, largest)
						assert.InDeltaSlice(t, wantGrad, again.Grad(s).Float32s(), 1e-5*largest)
						return nil
					}))
				})
			}
		}
	}
}
