package tune

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/brain/ridge"
	"github.com/brainwavlm/bwlm/internal/brain/columns"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// A ridge readout (readout.mode: ridge) is not trained. It is the ridge that scores the features as
// they are, fitted in closed form on the training rows, and refitted at the end of each epoch and
// every readout.refit_steps steps. In between it is constant, and the gradient of the loss flows
// through it into the model alone. Where the readout minimises the loss, that is the exact gradient
// of the loss under the best readout (variable projection: Golub & Pereyra 1973), and the readout
// does not lag behind the features as a co-trained one does.

// RefitReadouts fits the ridge readouts to features of the training rows.
func (t *Trainer) RefitReadouts(ctx context.Context, f *encoding.RowFeatures) error {
	for i, p := range t.Study.Subjects {
		mine := t.tunedHere(i)
		if len(mine) == 0 {
			continue
		}
		opt := t.Study.RidgeOptions()
		var layers []*nn.Store
		widths := []int{len(mine)}
		if r := t.Readouts[i]; r.Whole != nil {
			layers = r.Stores()[:1]
		} else {
			opt.Unit, opt.Of, layers, widths = columns.Width, len(p.Tuned), r.Stores()[1:], nil
			for _, b := range r.Blocks {
				widths = append(widths, b.Len())
			}
		}
		if err := t.fitReadout(ctx, f, p, mine, opt, layers, widths); err != nil {
			return err
		}
	}
	return nil
}

// fitReadout fits the ridge from a subject's training features to some columns, with the options of the evaluation, and
// sets last layers of consecutive columns to it.
func (t *Trainer) fitReadout(ctx context.Context, f *encoding.RowFeatures, p *study.Subject, columns []int,
	opt ridge.Options, layers []*nn.Store, widths []int) error {
	x, rows := f.Stack(p, study.Train)
	y := p.Responses.Select(p.Parts[study.Train]...).Of(columns)
	m, err := ridge.FitColumns(ctx, x, y, rows, len(columns), opt)
	if err != nil {
		return err
	}
	weights := make([]float32, m.Features*m.Voxels)
	if err := m.ReadWeights(ctx, 0, m.Features, weights); err != nil {
		return err
	}
	bias := make([]float32, len(columns))
	for v, b := range m.Intercept {
		bias[v] = float32(b)
	}
	return t.Session.Train(ctx, 0, func(s *torch.Scope) error {
		w, c := s.FromFloat32(weights, m.Features, m.Voxels), s.FromFloat32(bias, len(bias))
		at := 0
		for k, store := range layers {
			store.Param("linear.weight").CopyFrom(w.Narrow(1, at, widths[k]).Transpose(0, 1).Contiguous()) // (V, F)
			store.Param("linear.bias").CopyFrom(c.Narrow(0, at, widths[k]))
			at += widths[k]
		}
		return nil
	})
}

// Refresh reads the training features anew and refits the readouts, if a refit is due before the
// next step. That depends on the position in the epoch alone, so a resumed run does the same.
func (t *Trainer) Refresh(ctx context.Context) error {
	every := t.Study.Experiment.Readout.RefitSteps
	if !t.ridgeReadouts() || every == 0 || t.Progress.Block == 0 || t.Progress.Block%every != 0 {
		return nil
	}
	fs, err := encoding.Read(ctx, t.Study, t.Reader, progress.Refresh, t.Study.StoriesOf(study.Train),
		t.ReadLayers()...)
	if err != nil {
		return err
	}
	f := t.TunedOn(fs)
	if err := t.RefitReadouts(ctx, f); err != nil {
		return err
	}
	for story, z := range f.Zscore { // what the readouts were fitted to was standardised so
		t.Zscore[story] = z
	}
	return nil
}

// ridgeReadouts reports whether readouts are fitted in closed form.
func (t *Trainer) ridgeReadouts() bool {
	return t.Study.Experiment.Readout.Mode == experiment.ReadoutRidge
}
