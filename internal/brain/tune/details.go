package tune

import (
	"context"
	"fmt"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/torch"
)

// details computes the details of an epoch if they are enabled. A failure is a warning, since
// results do not depend on them.
func (t *Trainer) details(ctx context.Context, done results.Epoch) *progress.EpochMetrics {
	if !t.Study.Options.Details {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	d := &progress.EpochMetrics{Epoch: done}
	var err error
	if d.Loss, err = t.validationLoss(ctx); err == nil {
		d.Regions, err = regionR(ctx, t.Study, t.valid)
	}
	if err != nil {
		t.Study.Options.Progress(progress.Event{Phase: progress.Warning,
			Note: fmt.Sprintf("epoch %d is shown without details: %v", done.Epoch, err)})
		return nil
	}
	return d
}

// validationLoss returns the loss of the trained readouts, averaged over blocks of validation rows.
func (t *Trainer) validationLoss(ctx context.Context) (float64, error) {
	f := t.TunedOn(t.features)
	total := 0.
	blocks := blocksOf(study.Val, t.Study.Subjects, t.Study.Experiment.Train, false)
	for _, b := range blocks {
		y, err := t.ReadTargets(ctx, b)
		if err != nil {
			return 0, err
		}
		err = t.Session.Infer(ctx, func(s *torch.Scope) error {
			x := s.FromFloat32(f.Of(design.Rows{Story: b.Story, From: b.From, To: b.To}), b.To-b.From, f.Width)
			if t.whole() {
				total += t.fidelity(s, b.Subjects[0], x, y.tuned[0]).Item()
				return nil
			}
			p := t.newColumnPass(s, b)
			p.input(0, x)
			p.predict(y)
			losses, _, err := p.losses(false)
			if err == nil {
				total += losses[0].Item()
			}
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	return total / float64(len(blocks)), nil
}

// regionR returns for each ROI the mean over subjects of the mean r of its varying voxels, or of the sample that is
// scored of a large one.
func regionR(ctx context.Context, st *study.Study, scores []encoding.VoxelScores) (map[string]float64, error) {
	out := map[string]float64{}
	groups, err := watchedROIs(ctx, st)
	if err != nil || scores == nil {
		return out, err
	}
	for _, g := range groups {
		for i := range st.Subjects {
			r, constant := scores[i].Of(g.Columns[i])
			mean, _ := stats.Mean(r, constant, nil)
			out[g.Name] += mean / float64(len(st.Subjects))
		}
	}
	return out, nil
}
