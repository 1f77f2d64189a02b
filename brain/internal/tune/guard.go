package tune

import (
	"context"
	"fmt"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/internal/encoding"
	"github.com/brainwavlm/bwlm/brain/internal/study"
	"github.com/brainwavlm/bwlm/brain/loss"
	"github.com/brainwavlm/bwlm/brain/readout"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/ckpt"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// Guard keeps regions (train.retain_roi) from losing what the untuned model knew of them, in two ways.
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
type Guard struct {
	weight, Margin float64
	columns        [][]int            // by person
	Readouts       []*readout.Readout // by person, fixed
	Before         [][]float32        // r₀ by person and block of the trainer's order; 0 where the person has no part
}

// newGuard makes the guard of an experiment, not yet fitted; nil if nothing is guarded.
func (t *Trainer) newGuard(ctx context.Context) (*Guard, error) {
	exp := t.Study.Experiment
	if len(exp.Train.RetainROI) == 0 {
		return nil, nil
	}
	g := &Guard{weight: exp.Train.RetainWeight, Margin: exp.Train.RetainMargin}
	for _, p := range t.Study.Subjects {
		columns, err := guarded(ctx, t.Study, p)
		if err != nil {
			return nil, err
		}
		g.columns = append(g.columns, columns)
		err = torch.Do(ctx, torch.Mode{Device: t.Session.Device}, func(s *torch.Scope) error {
			r, err := readout.New(s, nn.NewStore(), t.Study.Model.Architecture().Width*len(t.Study.Delays), 0, len(columns))
			g.Readouts = append(g.Readouts, r)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return g, nil
}

// guarded are a person's voxels of the guarded regions that vary in the training rows.
func guarded(ctx context.Context, st *study.Study, p *study.Subject) ([]int, error) {
	varying := p.Varies(study.Train)
	in := make([]bool, p.Voxels)
	for _, name := range st.Experiment.Train.RetainROI {
		columns, err := study.Region(ctx, st.Data, name, p.Name, p.Voxels)
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
		return nil, fault.New(fault.BadData, "guard", p.Name, "no voxel of train.retain_roi varies in the training rows")
	}
	return columns, nil
}

// FitGuard fits the guard to features of the model as it is now: the untuned one.
func (t *Trainer) FitGuard(ctx context.Context, f *encoding.RowFeatures) error {
	g := t.Guard
	g.Before = nil
	for i, p := range t.Study.Subjects {
		if err := t.fitReadout(ctx, g.Readouts[i], f, p, g.columns[i]); err != nil {
			return err
		}
		before := make([]float32, len(t.Order))
		err := t.Session.Infer(ctx, func(s *torch.Scope) error {
			for k, b := range t.Order {
				if slices.Contains(b.Subjects, i) {
					want, err := p.Read(ctx, g.columns[i], design.Rows{Story: b.Story, From: b.From, To: b.To})
					if err != nil {
						return err
					}
					x := s.FromFloat32(f.Rows[b.Story][b.From*f.Width:b.To*f.Width], b.To-b.From, f.Width)
					before[k] = float32(t.guardR(s, i, x, want).Item())
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		g.Before = append(g.Before, before)
	}
	return nil
}

// guardR returns r of the retained voxels of subject i, one element, from features x (rows, F) of model.layer.
func (t *Trainer) guardR(s *torch.Scope, i int, x *torch.Tensor, responses []float32) *torch.Tensor {
	want := s.FromFloat32(responses, x.Dim(0), len(t.Guard.columns[i]))
	return loss.Correlation(t.Guard.Readouts[i].Forward(x), want, nil, 0).Mean()
}

// guardLoss is the penalty of person i in a block with features x (rows, F).
func (t *Trainer) guardLoss(s *torch.Scope, b Block, i int, x *torch.Tensor, responses []float32) *torch.Tensor {
	g := t.Guard
	r0 := float64(g.Before[i][t.placeOf(b)])
	x = readout.State(x, t.mixed()-1, t.mixed(), len(t.Study.Delays)) // of model.layer
	return t.guardR(s, i, x, responses).Neg().AddScalar(r0 - g.Margin).ReLU().MulScalar(g.weight)
}

// placeOf finds a block in the order before shuffling.
func (t *Trainer) placeOf(b Block) int {
	for k, o := range t.Order {
		if o.Story == b.Story && o.From == b.From && o.To == b.To && o.Subjects[0] == b.Subjects[0] {
			return k
		}
	}
	panic(fmt.Sprintf("block %s[%d:%d] is not in the order", b.Story, b.From, b.To))
}

// guardTensors are what a resumed run needs of the guard.
func (t *Trainer) guardTensors() (out []ckpt.Tensor) {
	if t.Guard == nil {
		return nil
	}
	for i, p := range t.Study.Subjects {
		out = append(out, results.TensorsOf("guard."+p.Name+".", t.Guard.Readouts[i].Store.Params())...)
		out = append(out, ckpt.NewTensor("guard."+p.Name+".before", []int{len(t.Order)}, t.Guard.Before[i]))
	}
	return out
}

// restoreGuard reads them back.
func (t *Trainer) restoreGuard(ctx context.Context, f *ckpt.File) error {
	if t.Guard == nil {
		return nil
	}
	t.Guard.Before = nil
	return t.Session.Train(ctx, 0, func(s *torch.Scope) error {
		for i, p := range t.Study.Subjects {
			if err := restoreStore(s, f, "guard."+p.Name+".", t.Guard.Readouts[i].Store); err != nil {
				return err
			}
			before, err := f.Float32("guard." + p.Name + ".before")
			if err != nil {
				return err
			}
			t.Guard.Before = append(t.Guard.Before, before)
		}
		return nil
	})
}

// restoreStore reads the parameters of a store that no optimizer changes.
func restoreStore(s *torch.Scope, f *ckpt.File, prefix string, store *nn.Store) error {
	for name, p := range store.Params() {
		v, err := results.ReadTensor(s, f, prefix+name)
		if err != nil {
			return err
		}
		p.CopyFrom(v)
	}
	return nil
}

func (g *Guard) close() {
	if g != nil {
		for _, r := range g.Readouts {
			r.Close()
		}
	}
}

// r is the mean over people of the mean validation score of their guarded voxels.
func (g *Guard) r(people []encoding.VoxelScores) float64 {
	total := 0.
	for i, s := range people {
		mean, _ := stats.Mean(s.R, s.Constant, g.columns[i])
		total += mean / float64(len(people))
	}
	return total
}

// Admits says whether an epoch may be chosen, given the one before training.
func (g *Guard) Admits(e, untuned results.Epoch) bool {
	return g == nil || *e.GuardR >= *untuned.GuardR-g.Margin
}
