package probe

import (
	"context"

	"gonum.org/v1/gonum/floats"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
)

// logistic is a softmax regression: the logits of x, (n, C), are x·Weights + Bias.
type logistic struct {
	Channels, Classes int
	Weights           []float64 // (C, classes)
	Bias              []float64 // (classes)
}

// accuracy is how near weights come to the minimum, about: the penalty bounds the curvature from
// below, so that the distance is at most the gradient over λ/n.
const gradientTolerance = 1e-5

// fitLogistic minimises Σ -log p(label) + λ/2·‖Weights‖² for each λ, which fall; each solution
// starts from the one before. With λ = 1/C it is scikit-learn's LogisticRegression. Labels count
// from 0.
func fitLogistic(ctx context.Context, device torch.Device, x []float32, labels []int, classes int,
	lambdas ...float64) (models []*logistic, err error) {
	n := len(labels)
	channels := len(x) / n
	err = torch.Do(ctx, torch.Mode{Device: device}, func(s *torch.Scope) error {
		features := s.FromFloat32(x, n, channels).ToType(torch.Float64)
		truth := s.FromFloat64(oneHot(labels, classes), n, classes)
		at := make([]float64, (channels+1)*classes) // weights, then bias
		for _, lambda := range lambdas {
			at = minimise(at, func(w []float64) (float64, []float64) { return loss(features, truth, w, lambda) },
				gradientTolerance*lambda/float64(n), 500)
			models = append(models, &logistic{channels, classes, at[:channels*classes], at[channels*classes:]})
			at = append([]float64(nil), at...)
			if err := ctx.Err(); err != nil {
				return fault.Wrap(fault.Interrupted, "probe", "", context.Cause(ctx))
			}
		}
		return nil
	})
	return models, err
}

func oneHot(labels []int, classes int) []float64 {
	out := make([]float64, len(labels)*classes)
	for i, l := range labels {
		out[i*classes+l] = 1
	}
	return out
}

// loss is the objective of fitLogistic per item, and its gradient.
func loss(features, truth *torch.Tensor, w []float64, lambda float64) (value float64, gradient []float64) {
	n, channels, classes := features.Dim(0), features.Dim(1), truth.Dim(1)
	features.Scoped(func(x *torch.Tensor) *torch.Tensor {
		s := x.Scope()
		weights := s.FromFloat64(w[:channels*classes], channels, classes)
		bias := s.FromFloat64(w[channels*classes:], 1, classes)
		logs := x.MatMul(weights).Add(bias).LogSoftmax(1) // (n, classes)
		value = -logs.Mul(truth).Sum().Item() / float64(n)
		off := logs.Exp().Sub(truth).MulScalar(1 / float64(n))
		gradient = append(x.Transpose(0, 1).MatMul(off).Float64s(), off.Sum(0).Float64s()...)
		return s.Zeros(1)
	})
	shrink := lambda / float64(n)
	for i, v := range w[:channels*classes] {
		value += shrink / 2 * v * v
		gradient[i] += shrink * v
	}
	return value, gradient
}

// classify returns the class of each row of x, (n, C).
func (m *logistic) classify(x []float32) []int {
	out := make([]int, len(x)/m.Channels)
	for i := range out {
		logits := append([]float64(nil), m.Bias...)
		for c, v := range x[i*m.Channels : (i+1)*m.Channels] {
			floats.AddScaled(logits, float64(v), m.Weights[c*m.Classes:(c+1)*m.Classes])
		}
		out[i] = floats.MaxIdx(logits)
	}
	return out
}

// penalties are the candidates for λ per training item.
var penalties = []float64{1, .1, .01}

// accuracy is the share of items, x (n, C), that are held out and classified right. Features are
// standardised by the training items. The penalty is that which does best on the last of the inner
// groups, fitted on the others.
func accuracy(ctx context.Context, device torch.Device, x []float32, labels []int, classes int,
	folds []fold) (float64, error) {
	if len(folds) == 0 {
		return 0, fault.New(fault.BadData, "probe", "folds", "%d items cannot be held out", len(labels))
	}
	channels := len(x) / len(labels)
	right, all := 0, 0
	for _, f := range folds {
		fitX := take(x, channels, f.Train)
		z := design.FitZScore(fitX, len(f.Train), channels)
		fitX = z.Apply(fitX)
		fitY := pick(labels, f.Train)
		best, err := choosePenalty(ctx, device, fitX, fitY, classes, f.inner())
		if err != nil {
			return 0, err
		}
		m, err := fitLogistic(ctx, device, fitX, fitY, classes, best*float64(len(f.Train)))
		if err != nil {
			return 0, err
		}
		right += hits(m[0], z.Apply(take(x, channels, f.Test)), pick(labels, f.Test))
		all += len(f.Test)
	}
	return float64(right) / float64(all), nil
}

// choosePenalty returns the penalty with the most hits on the last of the groups, fitted on the
// others.
func choosePenalty(ctx context.Context, device torch.Device, x []float32, labels []int, classes int,
	groups [][]int) (float64, error) {
	if groups == nil {
		return penalties[1], nil
	}
	held := groups[len(groups)-1]
	var rest []int
	for _, g := range groups[:len(groups)-1] {
		rest = append(rest, g...)
	}
	channels := len(x) / len(labels)
	var lambdas []float64
	for _, p := range penalties {
		lambdas = append(lambdas, p*float64(len(rest)))
	}
	models, err := fitLogistic(ctx, device, take(x, channels, rest), pick(labels, rest), classes, lambdas...)
	if err != nil {
		return 0, err
	}
	best, most := 0, -1
	for i, m := range models {
		if h := hits(m, take(x, channels, held), pick(labels, held)); h > most {
			best, most = i, h
		}
	}
	return penalties[best], nil
}

func hits(m *logistic, x []float32, labels []int) (n int) {
	for i, l := range m.classify(x) {
		if l == labels[i] {
			n++
		}
	}
	return n
}

func pick[T any](x []T, at []int) []T {
	out := make([]T, len(at))
	for i, k := range at {
		out[i] = x[k]
	}
	return out
}
