package probing

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/ridge"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/fault"
)

// Story is a representation of a stimulus with properties of the stimulus.
type Story struct {
	Rows     int
	Features []float32 // (Rows, C)
	Targets  []float32 // (Rows, K)
}

// Linear returns for each of the K targets Pearson's r between its values and the prediction of a
// ridge that is fitted on all other stories, as [HeldOut] does, over the rows of all stories.
func Linear(ctx context.Context, stories []Story, seed uint64) ([]float64, error) {
	predicted, want, err := HeldOut(ctx, stories, seed)
	if err != nil {
		return nil, err
	}
	rows := 0
	for _, s := range stories {
		rows += s.Rows
	}
	r, _ := stats.Correlation(slices.Concat(predicted...), slices.Concat(want...), rows, len(want[0])/stories[0].Rows)
	return r, nil
}

// HeldOut predicts the targets of each story, (Rows, K), by a ridge that is fitted on all other
// stories, and returns the predictions and the standardised targets. Features and targets are
// standardised within each story, so constants of a story have no effect. Penalties are chosen for
// each target among the stories that are fitted. At least three stories are needed.
func HeldOut(ctx context.Context, stories []Story, seed uint64) (predicted, want [][]float32, err error) {
	if len(stories) < 3 {
		return nil, nil, fault.New(fault.BadData, "probe", "stories",
			"%d, at least 3 are needed to hold one out and choose a penalty on the others", len(stories))
	}
	channels := len(stories[0].Features) / stories[0].Rows
	targets := len(stories[0].Targets) / stories[0].Rows
	x, y := make([][]float32, len(stories)), make([][]float32, len(stories))
	for i, s := range stories {
		x[i] = design.FitZScore(s.Features, s.Rows, channels).Apply(s.Features)
		y[i] = design.FitZScore(s.Targets, s.Rows, targets).Apply(s.Targets)
	}
	for held := range stories {
		var fitX, fitY []float32
		var folds [][]int // each fold is one of the stories that are fitted
		n := 0
		for i, s := range stories {
			if i == held {
				continue
			}
			fitX, fitY = append(fitX, x[i]...), append(fitY, y[i]...)
			fold := make([]int, s.Rows)
			for k := range fold {
				fold[k] = n + k
			}
			folds = append(folds, fold)
			n += s.Rows
		}
		m, err := ridge.Fit(ctx, fitX, fitY, n, ridge.Options{Folds: folds, Seed: seed})
		if err != nil {
			return nil, nil, err
		}
		p, err := m.Predict(ctx, x[held], stories[held].Rows)
		if err != nil {
			return nil, nil, err
		}
		predicted = append(predicted, p)
	}
	return predicted, y, nil
}
