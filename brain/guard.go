package brain

import (
	"context"
	"fmt"
	"slices"

	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/ckpt"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// guard keeps regions (train.retain_roi) from losing what the untuned model knew of them, in two ways.
//
// While tuning, each block adds to the loss
//
//	train.retain_weight · max(0, r₀ - train.retain_margin - r)
//
// r being the mean over guarded voxels of the correlation across the block's rows between responses and what a readout
// predicts that was fitted before training, a ridge on the untuned features, and r₀ the same of the untuned model. What
// the regions can be read from must so stay readable in the same way; where it is, the penalty and its gradient are 0.
//
// When the epoch is chosen, those are no candidates whose validation score of the guarded regions, by a ridge of their
// own as everywhere, is more than the margin below the untuned model's. The untuned model always is one.
//
// docs/adr/0005-guard.md says why this form.
type guard struct {
	weight, margin float64
	columns        [][]int     // by person
	readouts       []*Readout  // by person, fixed
	before         [][]float32 // r₀ by person and block of the trainer's order; 0 where the person has no part
}

// newGuard makes the guard of an experiment, not yet fitted; nil if nothing is guarded.
func (t *trainer) newGuard(ctx context.Context) (*guard, error) {
	exp := t.Experiment
	if len(exp.Train.RetainROI) == 0 {
		return nil, nil
	}
	g := &guard{weight: exp.Train.RetainWeight, margin: exp.Train.RetainMargin}
	for _, p := range t.people {
		columns, err := t.guarded(ctx, p)
		if err != nil {
			return nil, err
		}
		g.columns = append(g.columns, columns)
		err = torch.Do(ctx, torch.Mode{Device: t.session.Device}, func(s *torch.Scope) error {
			r, err := newReadout(s, nn.NewStore(), t.Model.Config.Hidden*len(t.delays), 0, len(columns))
			g.readouts = append(g.readouts, r)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return g, nil
}

// guarded are a person's voxels of the guarded regions that vary in the training rows.
func (st *Study) guarded(ctx context.Context, p *person) ([]int, error) {
	varying := p.varies(Train)
	in := make([]bool, p.voxels)
	for _, name := range st.Experiment.Train.RetainROI {
		columns, err := region(ctx, st.Data, name, p.name, p.voxels)
		if err != nil {
			return nil, err
		}
		for _, c := range columns {
			in[c] = varying[c]
		}
	}
	var columns []int
	for c, yes := range in {
		if yes {
			columns = append(columns, c)
		}
	}
	if len(columns) == 0 {
		return nil, fault.New(fault.BadData, "guard", p.name, "no voxel of train.retain_roi varies in the training rows")
	}
	return columns, nil
}

// fitGuard fits the guard to features of the model as it is now: the untuned one.
func (t *trainer) fitGuard(ctx context.Context, f *rowFeatures) error {
	g := t.guard
	g.before = nil
	for i, p := range t.people {
		if err := t.fitReadout(ctx, g.readouts[i], f, p, g.columns[i]); err != nil {
			return err
		}
		before := make([]float32, len(t.order))
		err := t.session.Infer(ctx, func(s *torch.Scope) error {
			for k, b := range t.order {
				if slices.Contains(b.subjects, i) {
					x := s.FromFloat32(f.rows[b.story][b.from*f.width:b.to*f.width], b.to-b.from, f.width)
					before[k] = float32(t.guardR(s, b, i, x).Item())
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		g.before = append(g.before, before)
	}
	return nil
}

// guardR is r of person i's guarded voxels in a block with features x (rows, F) of model.layer: one element.
func (t *trainer) guardR(s *torch.Scope, b block, i int, x *torch.Tensor) *torch.Tensor {
	p, columns := t.people[i], t.guard.columns[i]
	want := s.FromFloat32(p.responses[b.story].block(b.from, b.to, columns, p.voxels), b.to-b.from, len(columns))
	return Correlation(t.guard.readouts[i].Forward(x), want, nil, 0).Mean()
}

// guardLoss is the penalty of person i in a block with features x (rows, F).
func (t *trainer) guardLoss(s *torch.Scope, b block, i int, x *torch.Tensor) *torch.Tensor {
	g := t.guard
	r0 := float64(g.before[i][t.placeOf(b)])
	x = state(x, t.mixed()-1, t.mixed(), len(t.delays)) // of model.layer
	return t.guardR(s, b, i, x).Neg().Shift(r0 - g.margin).ReLU().Scale(g.weight)
}

// placeOf finds a block in the order before shuffling.
func (t *trainer) placeOf(b block) int {
	for k, o := range t.order {
		if o.story == b.story && o.from == b.from && o.to == b.to && o.subjects[0] == b.subjects[0] {
			return k
		}
	}
	panic(fmt.Sprintf("block %s[%d:%d] is not in the order", b.story, b.from, b.to))
}

// guardTensors are what a resumed run needs of the guard.
func (t *trainer) guardTensors() (out []ckpt.Tensor) {
	if t.guard == nil {
		return nil
	}
	for i, p := range t.people {
		out = append(out, tensorsOf("guard."+p.name+".", t.guard.readouts[i].store.Params())...)
		out = append(out, ckpt.NewTensor("guard."+p.name+".before", []int{len(t.order)}, t.guard.before[i]))
	}
	return out
}

// restoreGuard reads them back.
func (t *trainer) restoreGuard(ctx context.Context, f *ckpt.File) error {
	if t.guard == nil {
		return nil
	}
	t.guard.before = nil
	return t.session.Train(ctx, 0, func(s *torch.Scope) error {
		for i, p := range t.people {
			if err := restoreStore(s, f, "guard."+p.name+".", t.guard.readouts[i].store); err != nil {
				return err
			}
			before, err := f.Float32("guard." + p.name + ".before")
			if err != nil {
				return err
			}
			t.guard.before = append(t.guard.before, before)
		}
		return nil
	})
}

// restoreStore reads the parameters of a store that no optimizer changes.
func restoreStore(s *torch.Scope, f *ckpt.File, prefix string, store *nn.Store) error {
	for name, p := range store.Params() {
		v, err := readTensor(s, f, prefix+name)
		if err != nil {
			return err
		}
		p.CopyFrom(v)
	}
	return nil
}

func (g *guard) close() {
	if g != nil {
		for _, r := range g.readouts {
			r.close()
		}
	}
}

// r is the mean over people of the mean validation score of their guarded voxels.
func (g *guard) r(people []voxelScores) float64 {
	total := 0.
	for i, s := range people {
		mean, _ := stats.Mean(s.r, s.constant, g.columns[i])
		total += mean / float64(len(people))
	}
	return total
}

// admits says whether an epoch may be chosen, given the one before training.
func (g *guard) admits(e, untuned Epoch) bool {
	return g == nil || *e.GuardR >= *untuned.GuardR-g.margin
}
