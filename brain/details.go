package brain

import (
	"context"
	"fmt"

	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/torch"
)

// Details are what is known at the end of an epoch beyond its score, for those who watch a training.
type Details struct {
	Epoch   Epoch
	Loss    float64            // of the trained readouts on the validation rows, in blocks as long as those of training
	Regions map[string]float64 // validation r of each region, found as Epoch.ValR is; empty in mode readout
}

// details computes them, if they are wanted. They change nothing, so a failure is a warning.
func (t *trainer) details(ctx context.Context, done Epoch) *Details {
	if !t.opt.Details {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	d := &Details{Epoch: done}
	var err error
	if d.Loss, err = t.validationLoss(ctx); err == nil {
		d.Regions, err = t.regionR(ctx, t.valid)
	}
	if err != nil {
		t.opt.Progress(Event{Phase: "warning", Note: fmt.Sprintf("epoch %d is shown without details: %v", done.Epoch, err)})
		return nil
	}
	return d
}

// validationLoss is the mean over blocks of validation rows of the loss of the readouts as they are.
func (t *trainer) validationLoss(ctx context.Context) (float64, error) {
	f := t.tunedOn(t.features)
	total := 0.
	blocks := blocksOf(Val, t.people, t.Experiment.Train.BlockRows, false)
	for _, b := range blocks {
		err := t.session.Infer(ctx, func(s *torch.Scope) error {
			x := s.FromFloat32(f.rows[b.story][b.from*f.width:b.to*f.width], b.to-b.from, f.width)
			total += t.fidelity(s, b, b.subjects[0], x).Item()
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	return total / float64(len(blocks)), nil
}

// regionR is the mean over people of the mean r of each region's voxels that vary.
func (st *Study) regionR(ctx context.Context, scores []voxelScores) (map[string]float64, error) {
	out := map[string]float64{}
	groups, err := st.groups(ctx)
	if err != nil || scores == nil {
		return out, err
	}
	for _, g := range groups {
		if g.Name == everything || g.Name == tunedGroup {
			continue
		}
		for i := range st.people {
			r := scores[i]
			mean, _ := stats.Mean(at(r.r, g.Columns[i]), at(r.constant, g.Columns[i]), nil)
			out[g.Name] += mean / float64(len(st.people))
		}
	}
	return out, nil
}
