package loss_test

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/loss"
	"github.com/brainwavlm/bwlm/internal/testnum"
	"github.com/brainwavlm/bwlm/torch"
)

// lossOf evaluates a loss on pred and want (rows, cols) and the gradient of pred.
func lossOf(t *testing.T, loss loss.Func, pred, want []float32, rows, cols int) (value float64, grad []float32) {
	t.Helper()
	require.NoError(t, torch.Train(t.Context(), 0, func(s *torch.Scope) error {
		p := s.FromFloat32(pred, rows, cols).RequireGrad(true)
		l := loss(p, s.FromFloat32(want, rows, cols), nil)
		l.Backward()
		value, grad = l.Item(), p.Grad(s).Float32s()
		return nil
	}))
	return value, grad
}

func scaled(x []float32, by, shift float32) []float32 {
	out := slices.Clone(x)
	for i := range out {
		out[i] = out[i]*by + shift
	}
	return out
}

func TestLossesFollowTheirDefinitions(t *testing.T) {
	const rows, cols = 7, 60
	pred, want := testnum.Values(rows*cols, 1), testnum.Values(rows*cols, 2)
	for i := range pred { // related, so that r is not about 0
		pred[i] += want[i]
	}
	mean := func(along int) float64 {
		sum, n := 0., 0.
		wants := testnum.Lines(want, rows, cols, along)
		for i, p := range testnum.Lines(pred, rows, cols, along) {
			sum += testnum.Pearson(p, wants[i])
			n++
		}
		return sum / n
	}
	square := 0.
	for i := range pred {
		square += math.Pow(float64(pred[i]-want[i]), 2) / rows / cols
	}
	cases := []struct {
		name experiment.Loss
		want float64
	}{{"spatial", -mean(1)}, {"temporal", -mean(0)}, {"mse", square}}
	for _, c := range cases {
		lossFn, name, err := loss.New(lossNamed(c.name), cols, experiment.Compat{})
		require.NoError(t, err)
		assert.Equal(t, c.name, name)
		got, _ := lossOf(t, lossFn, pred, want, rows, cols)
		assert.InDelta(t, c.want, got, 1e-6, c.name)
		if c.name == "mse" {
			continue
		}
		for _, by := range []float32{1e-6, 1e-3, 1e4} { // a correlation knows no scale and no offset
			got, _ := lossOf(t, lossFn, scaled(pred, by, by), want, rows, cols)
			assert.InDelta(t, c.want, got, 1e-5, "%s, predictions times %g", c.name, by)
			got, _ = lossOf(t, lossFn, pred, scaled(want, by, by), rows, cols)
			assert.InDelta(t, c.want, got, 1e-5, "%s, responses times %g", c.name, by)
		}
		shrunken, _, err := loss.New(lossNamed(c.name), cols, experiment.Compat{ShrunkenLossR: true})
		require.NoError(t, err)
		n := map[experiment.Loss]float64{"spatial": cols, "temporal": rows}[c.name]
		got, _ = lossOf(t, shrunken, pred, want, rows, cols)
		assert.InDelta(t, c.want*(n-1)/n, got, 1e-6, "%s, shrunken", c.name)
	}
}

func TestLossGradientsEqualFiniteDifferences(t *testing.T) {
	const rows, cols = 6, 5
	pred, want := testnum.Values(rows*cols, 3), testnum.Values(rows*cols, 4)
	for name, loss := range map[string]loss.Func{"spatial": loss.Spatial, "temporal": loss.Temporal, "mse": loss.MSE,
		"cosine_l2": loss.CosineL2(.5), "nt_xent": loss.NTXent(.5)} {
		_, grad := lossOf(t, loss, pred, want, rows, cols)
		for i := range pred {
			const h = 1e-2
			up, down := slices.Clone(pred), slices.Clone(pred)
			up[i] += h
			down[i] -= h
			a, _ := lossOf(t, loss, up, want, rows, cols)
			b, _ := lossOf(t, loss, down, want, rows, cols)
			assert.InDelta(t, (a-b)/(2*h), grad[i], 2e-4, "%s, element %d", name, i)
		}
	}
}

// Values and gradients as PyTorch computes them (tools/loss/make_golden.py), with weights and without.
func TestLossesEqualPyTorch(t *testing.T) {
	var golden struct {
		Rows, Voxels        int
		Share, Temperature  float64
		Pred, Want, Weights []float32
		Cases               []struct {
			Loss     experiment.Loss
			Weighted bool
			Value    float64
			Grad     []float32
		}
	}
	text, err := os.ReadFile("testdata/losses.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(text, &golden))
	require.Len(t, golden.Cases, 10)
	train := experiment.Train{CosineShare: golden.Share, Temperature: golden.Temperature}
	for _, c := range golden.Cases {
		train.Loss = c.Loss
		loss, _, err := loss.New(train, loss.MinSpatialTargets, experiment.Compat{})
		require.NoError(t, err)
		weigh := loss
		if c.Weighted {
			weigh = func(pred, want, _ *torch.Tensor) *torch.Tensor {
				return loss(pred, want, pred.Scope().FromFloat32(golden.Weights, golden.Voxels))
			}
		}
		value, grad := lossOf(t, weigh, golden.Pred, golden.Want, golden.Rows, golden.Voxels)
		assert.InDelta(t, c.Value, value, 2e-6, "%s, weighted: %v", c.Loss, c.Weighted)
		assert.InDeltaSlice(t, c.Grad, grad, 2e-6, "%s, weighted: %v", c.Loss, c.Weighted)
	}
}

// A voxel or row that does not vary says nothing: it counts 0 and pulls at nothing.
func TestConstantsCountNothing(t *testing.T) {
	const rows, cols = 6, 5
	for _, level := range []float32{0, 3.7, -1e5} {
		for along, loss := range []loss.Func{loss.Temporal, loss.Spatial} {
			for side := range 2 {
				x := [2][]float32{testnum.Values(rows*cols, 5), testnum.Values(rows*cols, 6)}
				inLine := func(i int) bool { return along == 0 && i%cols == 2 || along == 1 && i/cols == 2 }
				var rest [2][]float32
				for i := range x[0] {
					if inLine(i) {
						x[side][i] = level
						continue
					}
					rest[0], rest[1] = append(rest[0], x[0][i]), append(rest[1], x[1][i])
				}
				value, grad := lossOf(t, loss, x[0], x[1], rows, cols)
				n, r, c := float64(cols), rows, cols-1
				if along == 1 {
					n, r, c = rows, rows-1, cols
				}
				without, _ := lossOf(t, loss, rest[0], rest[1], r, c)
				assert.InDelta(t, without*(n-1)/n, value, 1e-6, "along %d, side %d, level %g", along, side, level)
				for i, g := range grad {
					assert.False(t, math.IsNaN(float64(g)) || math.IsInf(float64(g), 0))
					if inLine(i) {
						assert.Zero(t, g, "along %d, side %d, level %g", along, side, level)
					}
				}
			}
		}
	}
	flat := make([]float32, rows*cols)
	value, grad := lossOf(t, loss.Spatial, flat, flat, rows, cols)
	assert.Zero(t, value)
	assert.Equal(t, flat, grad)
}

// Whatever is constant, no loss and no gradient is ever not a number.
func TestLossesStayFinite(t *testing.T) {
	const rows, cols = 6, 5
	for name, loss := range map[string]loss.Func{"spatial": loss.Spatial, "temporal": loss.Temporal, "mse": loss.MSE,
		"cosine_l2": loss.CosineL2(.5), "nt_xent": loss.NTXent(.1)} {
		for _, level := range []float32{0, 1, -1e5} {
			for _, along := range []int{0, 1, 2} { // a voxel, a row, everything
				for side := range 2 {
					x := [2][]float32{testnum.Values(rows*cols, 5), testnum.Values(rows*cols, 6)}
					for i := range x[side] {
						if along == 2 || along == 0 && i%cols == 2 || along == 1 && i/cols == 2 {
							x[side][i] = level
						}
					}
					value, grad := lossOf(t, loss, x[0], x[1], rows, cols)
					for _, v := range append(grad, float32(value)) {
						assert.False(t, math.IsNaN(float64(v)) || math.IsInf(float64(v), 0),
							"%s, level %g, along %d, side %d", name, level, along, side)
					}
				}
			}
		}
	}
	value, grad := lossOf(t, loss.NTXent(.1), testnum.Values(cols, 1), testnum.Values(cols, 2), 1, cols)
	assert.Zero(t, value, "a row alone has no negatives")
	assert.InDeltaSlice(t, make([]float32, cols), grad, 1e-7)
}

// lossNamed is a training with a loss, and defaults.
func lossNamed(name experiment.Loss) experiment.Train {
	train := experiment.Default().Train
	train.Loss = name
	return train
}

func TestLossNames(t *testing.T) {
	for _, c := range []struct {
		name    experiment.Loss
		targets int
		want    experiment.Loss
	}{{"auto", 49, "temporal"}, {"auto", 50, "spatial"}, {"spatial", 50, "spatial"}, {"temporal", 1, "temporal"},
		{"mse", 1, "mse"},
		{"cosine_l2", 1, "cosine_l2"}, {"nt_xent", 50, "nt_xent"}} {
		_, name, err := loss.New(lossNamed(c.name), c.targets, experiment.Compat{})
		require.NoError(t, err)
		assert.Equal(t, c.want, name)
	}
	_, _, err := loss.New(lossNamed("spatial"), 49, experiment.Compat{})
	require.ErrorContains(t, err, "needs at least 50 that vary, here are 49; use temporal")
	_, _, err = loss.New(lossNamed("nt_xent"), 49, experiment.Compat{})
	require.ErrorContains(t, err, "the nt_xent loss compares rows across targets")
	_, _, err = loss.New(lossNamed("huber"), 50, experiment.Compat{})
	require.ErrorContains(t, err, `unknown loss "huber"`)
}
