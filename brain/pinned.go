package brain

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/ridge"
	"github.com/brainwavlm/bwlm/torch"
)

// A pinned readout (readout.mode: ridge) is not trained: it is the ridge that would score the features as they are,
// fitted in closed form on the training rows, and fitted again at the end of each epoch and every readout.refit_steps
// steps. Between that it is constant, and the gradient of the loss goes through it into the model alone. Where readout
// and loss agree that is the exact gradient of the loss under the best readout (variable projection: Golub & Pereyra
// 1973), and it never lags behind the features as a co-trained readout does.

// pin fits the pinned readouts anew to features of the training rows.
func (t *trainer) pin(ctx context.Context, f *rowFeatures) error {
	for i, p := range t.people {
		if err := t.fitReadout(ctx, t.readouts[i], f, p, p.tuned); err != nil {
			return err
		}
	}
	return nil
}

// fitReadout makes a direct readout the ridge from a person's training features to some columns, with the penalties,
// folds and seed of the evaluation.
func (t *trainer) fitReadout(ctx context.Context, r *Readout, f *rowFeatures, p *person, columns []int) error {
	x, rows := f.stack(p, Train)
	var y []float32
	for _, part := range p.parts[Train] {
		y = append(y, p.responses[part.Story].block(part.From, part.To, columns, p.voxels)...)
	}
	m, err := ridge.Fit(ctx, x, y, rows, t.ridgeOptions())
	if err != nil {
		return err
	}
	bias := make([]float32, len(columns))
	for v, b := range m.Intercept {
		bias[v] = float32(b)
	}
	return t.session.Train(ctx, 0, func(s *torch.Scope) error {
		w := s.FromFloat32(m.Weights, m.Features, m.Voxels).Transpose(0, 1).Contiguous() // (V, F)
		r.store.Param("linear.weight").CopyFrom(w)
		r.store.Param("linear.bias").CopyFrom(s.FromFloat32(bias, len(bias)))
		return nil
	})
}

// refresh reads the training features anew and pins the readouts to them, if it is time before the next step. Whether it
// is depends on the place in the epoch alone, so a resumed run does the same.
func (t *trainer) refresh(ctx context.Context) error {
	every := t.Experiment.Readout.RefitSteps
	if !t.pinned() || every == 0 || t.progress.Block == 0 || t.progress.Block%every != 0 {
		return nil
	}
	fs, err := t.read(ctx, t.reader, "refresh", t.storiesOf(Train), t.readLayers()...)
	if err != nil {
		return err
	}
	f := t.tunedOn(fs)
	if err := t.pin(ctx, f); err != nil {
		return err
	}
	for story, z := range f.zscore { // what the readouts were fitted to was standardised so
		t.zscore[story] = z
	}
	return nil
}

// pinned says whether readouts are fitted, not trained.
func (t *trainer) pinned() bool { return t.Experiment.Readout.Mode == experiment.ReadoutRidge }
