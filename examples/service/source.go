package main

import (
	"context"

	"github.com/brainwavlm/bwlm/audio"
	"github.com/brainwavlm/bwlm/brain/extract"
	"github.com/brainwavlm/bwlm/brain/predict"
)

// responses answers with what a subject's voxels are expected to do.
type responses struct{ *predict.Predictor }

func (responses) Path() string { return "/responses" }

func (r responses) Answer(ctx context.Context, clip *audio.Clip) (*Answer, error) {
	p, err := r.Predict(ctx, clip.Samples)
	if err != nil {
		return nil, err
	}
	return &Answer{Seconds: p.Times, Columns: r.Columns, Values: p.Values}, nil
}

// features answers with the vectors of one layer of a speech model.
type features struct {
	*extract.SpeechModel
	window extract.Options
}

func (features) Path() string { return "/features" }

func (f features) Answer(ctx context.Context, clip *audio.Clip) (*Answer, error) {
	found, err := extract.Features(ctx, f.Model, clip.Samples, f.window)
	if err != nil {
		return nil, err
	}
	channels := make([]int, found.Vectors[0].Cols)
	for c := range channels {
		channels[c] = c
	}
	return &Answer{Seconds: found.Times, Columns: channels, Values: found.Vectors[0].Data}, nil
}
