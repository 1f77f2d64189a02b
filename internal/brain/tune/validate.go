package tune

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/phases"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/torch"
)

// ReadForEpoch extracts the features of training and validation stories.
func (t *Trainer) ReadForEpoch(ctx context.Context) ([]encoding.RowFeatures, error) {
	return encoding.Read(ctx, t.Study, t.Reader, progress.Validate, t.Study.StoriesOf(study.Train, study.Val),
		t.ReadLayers()...)
}

// ReadLayers returns the hidden states that training or scores use.
func (t *Trainer) ReadLayers() []int {
	layers := t.Study.ScoredLayers()
	for l := layers[0] - 1; l >= 0 && t.states() > 1; l-- {
		layers = append([]int{l}, layers...)
	}
	return layers
}

// TunedOn returns the features of the readouts among those of ReadLayers.
func (t *Trainer) TunedOn(fs []encoding.RowFeatures) *encoding.RowFeatures {
	return encoding.Joined(fs[len(fs)-t.states():])
}

// validate returns the validation score of the current model. Features are scored by a ridge, as in
// the evaluation. Where the model is not tuned, the trained readouts are scored, since only they
// change between epochs.
func (t *Trainer) validate(ctx context.Context, done *results.Epoch) (err error) {
	defer torch.Part(ctx, phases.PartScores)()
	if !t.tunes {
		done.ValR, err = t.readoutR(ctx)
		return err
	}
	columns, err := t.watched(ctx)
	if err != nil {
		return err
	}
	var alphas [][]float64
	for i, p := range t.Study.Subjects {
		if t.alphas != nil {
			alphas = append(alphas, encoding.At(t.alphas[i], columns[i]))
		} else if t.Study.Experiment.Eval.ReuseAlphas { // all, whatever later epochs score
			columns[i] = p.Columns()
		}
	}
	scores, err := encoding.Validation(ctx, t.Study, t.features[len(t.features)-len(t.Study.ScoredLayers()):], columns,
		alphas, t.Study.Options.Ranks)
	if err != nil {
		return err
	}
	if t.Study.Experiment.Eval.ReuseAlphas && t.alphas == nil {
		for _, s := range scores {
			t.alphas = append(t.alphas, s.Alphas)
		}
	}
	done.ValR, t.valid = encoding.TunedR(t.Study, scores), scores
	if t.Retention != nil {
		r := t.Retention.r(scores)
		done.RetainedR = &r
	}
	return nil
}

// readoutR returns the mean over subjects of the mean r of their tuned voxels, predicted by the trained readouts.
func (t *Trainer) readoutR(ctx context.Context) (float64, error) {
	f := t.TunedOn(t.features)
	scores := make([]encoding.VoxelScores, len(t.Study.Subjects))
	for i, p := range t.Study.Subjects {
		mine := t.tunedHere(i)
		if len(mine) == 0 {
			continue
		}
		x, rows := f.Stack(p, study.Val)
		var pred []float32
		err := t.Session.Infer(ctx, func(s *torch.Scope) error {
			pred = t.Readouts[i].Forward(s.FromFloat32(x, rows, f.Width)).Float32s()
			return nil
		})
		if err != nil {
			return 0, err
		}
		want, err := p.Read(ctx, mine, p.Parts[study.Val]...)
		if err != nil {
			return 0, err
		}
		s := &scores[i]
		s.R, s.Constant = encoding.EpochR(t.Study.Experiment)(pred, want, rows, len(mine), p.Parts[study.Val])
		s.Alphas = make([]float64, len(mine)) // there is no ridge
	}
	if !t.whole() {
		var err error
		scores, err = encoding.NewShares(t.Study.Options.Ranks, encoding.Tuned(t.Study)).Gather(scores)
		if err != nil {
			return 0, err
		}
	}
	total := 0.
	for i, p := range t.Study.Subjects {
		total += p.TunedMean(scores[i].R, scores[i].Constant)
	}
	return total / float64(len(t.Study.Subjects)), nil
}
