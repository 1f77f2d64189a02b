package brain

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/torch"
)

// readForEpoch reads the features of training and validation stories.
func (t *trainer) readForEpoch(ctx context.Context) ([]rowFeatures, error) {
	return t.read(ctx, t.reader, "validate", t.storiesOf(Train, Val), t.readLayers()...)
}

// readLayers are the hidden states that training or scores look at.
func (t *trainer) readLayers() []int {
	layers := t.scoredLayers()
	for l := layers[0] - 1; l >= 0 && t.mixed() > 1; l-- {
		layers = append([]int{l}, layers...)
	}
	return layers
}

// tunedOn are the features that the readouts see, of those of readLayers.
func (t *trainer) tunedOn(fs []rowFeatures) *rowFeatures {
	return joined(fs[len(fs)-t.mixed():], len(t.delays))
}

// validate scores the model as it is now. Features are scored by a ridge, as at the end; where they are not tuned it is
// the readouts that differ between epochs.
func (t *trainer) validate(ctx context.Context, done *Epoch) (err error) {
	defer torch.Part(ctx, PartScores)()
	if !t.tunes {
		done.ValR, err = t.readoutR(ctx)
		return err
	}
	rows := 0
	if t.Experiment.Compat.FirstBlockVal {
		rows = t.Experiment.Train.BlockRows
	}
	scores, err := t.validation(ctx, t.features[len(t.features)-len(t.scoredLayers()):], rows)
	if err != nil {
		return err
	}
	done.ValR, t.valid = t.tunedR(scores), scores
	if t.guard != nil {
		r := t.guard.r(scores)
		done.GuardR = &r
	}
	return nil
}

// readoutR is the mean over people of the mean r of their tuned voxels, as the trained readouts predict them.
func (t *trainer) readoutR(ctx context.Context) (float64, error) {
	total := 0.
	f := t.tunedOn(t.features)
	for i, p := range t.people {
		x, rows := f.stack(p, Val)
		var pred, want []float32
		err := t.session.Infer(ctx, func(s *torch.Scope) error {
			pred = t.readouts[i].Forward(s.FromFloat32(x, rows, f.width)).Float32s()
			return nil
		})
		if err != nil {
			return 0, err
		}
		for _, r := range p.parts[Val] {
			want = append(want, p.responses[r.Story].block(r.From, r.To, p.tuned, p.voxels)...)
		}
		r, constant := stats.Correlation(pred, want, rows, len(p.tuned))
		total += p.tunedMean(r, constant)
	}
	return total / float64(len(t.people)), nil
}
