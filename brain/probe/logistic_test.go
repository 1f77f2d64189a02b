package probe

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/brainwavlm/bwlm/internal/torchtest"
)

// TestLogisticAgreesWithScikitLearn compares weights and probabilities; biases are unique up to a constant.
func TestLogisticAgreesWithScikitLearn(t *testing.T) {
	text, err := os.ReadFile("testdata/logistic.json")
	require.NoError(t, err)
	var golden struct {
		Problems []struct {
			N, Width, Classes int
			Lambda            float64
			X                 []float32
			Labels            []int
			Coef, Bias, P     []float64
		}
	}
	require.NoError(t, json.Unmarshal(text, &golden))
	require.Len(t, golden.Problems, 3)
	for _, p := range golden.Problems {
		models, err := fitLogistic(t.Context(), torchtest.Device(), p.X, p.Labels, p.Classes, 10*p.Lambda, p.Lambda)
		require.NoError(t, err)
		m := models[1]
		shift := 0.
		for k := range m.Bias {
			shift += (m.Bias[k] - p.Bias[k]) / float64(p.Classes)
		}
		for k := range m.Bias {
			assert.InDelta(t, p.Bias[k], m.Bias[k]-shift, 2e-5)
		}
		for i := range p.Coef {
			require.InDelta(t, p.Coef[i], m.Weights[i], 2e-5, "weight %d at λ %g", i, p.Lambda)
		}
		for i := range p.N {
			sum, logits := 0., append([]float64(nil), m.Bias...)
			for k := range logits {
				for c := range p.Width {
					logits[k] += float64(p.X[i*p.Width+c]) * m.Weights[c*p.Classes+k]
				}
				sum += math.Exp(logits[k])
			}
			for k := range logits {
				require.InDelta(t, p.P[i*p.Classes+k], math.Exp(logits[k])/sum, 1e-5)
			}
		}
	}
}

func TestMinimise(t *testing.T) {
	// A quadratic whose curvatures span four orders of magnitude.
	curvature := []float64{1e-2, 1, 10, 100}
	x := minimise([]float64{5, -3, 2, 1}, func(x []float64) (v float64, g []float64) {
		for i, c := range curvature {
			d := x[i] - float64(i)
			v, g = v+c/2*d*d, append(g, c*d)
		}
		return v, g
	}, 1e-10, 200)
	for i, v := range x {
		assert.InDelta(t, i, v, 1e-7)
	}
}

// scattered are items one a second, whose vectors are their class's centre plus noise.
func scattered(n, width, classes int, noise float64) (items []item, x []float32, labels []int) {
	r := rand.New(rand.NewPCG(3, 4))
	centres := make([]float64, classes*width)
	for i := range centres {
		centres[i] = r.NormFloat64()
	}
	for i := range n {
		c := r.IntN(classes)
		items, labels = append(items, item{From: float64(i), To: float64(i) + .5}), append(labels, c)
		for j := range width {
			x = append(x, float32(centres[c*width+j]+noise*r.NormFloat64()))
		}
	}
	return items, x, labels
}

func TestAccuracyIsOfHeldOutItems(t *testing.T) {
	items, x, labels := scattered(200, 12, 4, .5)
	folds := timeFolds(items, nTimeFolds)
	a, err := accuracy(t.Context(), torchtest.Device(), x, labels, 4, folds)
	require.NoError(t, err)
	assert.Greater(t, a, .95, "classes far apart")

	shuffled := pick(labels, rand.New(rand.NewPCG(1, 1)).Perm(len(labels)))
	a, err = accuracy(t.Context(), torchtest.Device(), x, shuffled, 4, folds)
	require.NoError(t, err)
	assert.InDelta(t, .25, a, .1, "labels that mean nothing are at chance")

	_, err = accuracy(t.Context(), torchtest.Device(), x, labels, 4, nil)
	assert.ErrorContains(t, err, "cannot be held out")
}
