package probe

import (
	"context"
	"math"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/ridge"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
)

// alphas returns the alphas of the probes' ridges, on standardised features: 1 to 10⁴ in half
// decades.
func alphas() (out []float64) {
	for k := range 9 {
		out = append(out, math.Pow(10, float64(k)/2))
	}
	return out
}

// regress gives, for each of K targets, Pearson's r between values y (n, K) and what a ridge
// predicts from features x (n, C) of items that were held out, as the mean over folds, weighted by
// what is scored of each. Scores are within folds: over folds together, the differing means of what
// was fitted would push r below 0.
//
// If words is not nil, it numbers the items' words, and predictions and values are averaged over
// the test items of a word before they are compared, so that each word counts once.
func regress(ctx context.Context, device torch.Device, x, y []float32, n int, folds []fold, words []int) ([]float64,
	error) {
	if len(folds) == 0 {
		return nil, fault.New(fault.BadData, "probe", "folds", "%d items cannot be held out", n)
	}
	channels, targets := len(x)/n, len(y)/n
	scores, weight := make([]float64, targets), 0.
	for _, f := range folds {
		fitX, fitY := take(x, channels, f.Train), take(y, targets, f.Train)
		z := design.FitZScore(fitX, len(f.Train), channels)
		opt := ridge.Options{Alphas: alphas(), Folds: f.inner(), Device: device}
		if opt.Folds == nil {
			opt.Alphas = []float64{math.Sqrt(float64(len(f.Train)))}
		}
		m, err := ridge.Fit(ctx, z.Apply(fitX), fitY, len(f.Train), opt)
		if err != nil {
			return nil, err
		}
		pred, err := m.Predict(ctx, z.Apply(take(x, channels, f.Test)), len(f.Test))
		if err != nil {
			return nil, err
		}
		want, rows := take(y, targets, f.Test), len(f.Test)
		if words != nil {
			pred, _ = perWord(pred, targets, f.Test, words)
			want, rows = perWord(want, targets, f.Test, words)
		}
		if rows < 3 {
			continue
		}
		r, _ := stats.Correlation(pred, want, rows, targets)
		for k, v := range r {
			scores[k] += v * float64(rows)
		}
		weight += float64(rows)
	}
	if weight == 0 {
		return nil, fault.New(fault.BadData, "probe", "folds", "no fold has 3 items to be scored")
	}
	for k := range scores {
		scores[k] /= weight
	}
	return scores, nil
}

// perWord averages the rows of x, (items, width), of each word, (words, width), in the order of
// first occurrence.
func perWord(x []float32, width int, items, words []int) (mean []float32, rows int) {
	at := map[int]int{}
	var sums []float64
	var counts []int
	for i, item := range items {
		k, there := at[words[item]]
		if !there {
			k = len(counts)
			at[words[item]] = k
			counts, sums = append(counts, 0), append(sums, make([]float64, width)...)
		}
		counts[k]++
		for j, v := range x[i*width : (i+1)*width] {
			sums[k*width+j] += float64(v)
		}
	}
	for i, s := range sums {
		mean = append(mean, float32(s/float64(counts[i/width])))
	}
	return mean, len(counts)
}
