package tune

import (
	"context"
	"fmt"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/loss"
	"github.com/brainwavlm/bwlm/brain/results"
	"github.com/brainwavlm/bwlm/brain/stats"
	"github.com/brainwavlm/bwlm/fault"
	"github.com/brainwavlm/bwlm/internal/brain/encoding"
	"github.com/brainwavlm/bwlm/internal/brain/readout"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// Retention is the constraint that ROIs (train.retain_roi) keep the encoding score of the untuned model. It acts twice.
//
// While tuning, each block adds to the loss
//
//	train.retain_weight · max(0, r₀ - train.retain_margin - r)
//
// where r is the mean over retained voxels of the correlation, across the block's rows, of the
// responses and the predictions of a fixed readout (a ridge on the untuned features, fitted before
// training), and r₀ is that of the untuned model. The fixed readout must keep its score; where it
// does, the penalty and its gradient are 0.
//
// When the epoch is chosen, epochs whose validation score of the retained ROIs, by a ridge fitted
// anew, is more than the margin below that of the untuned model are no candidates. The untuned
// model always is one.
//
// docs/adr/0005-retention-constraint.md has the reasons for this form.
type Retention struct {
	weight, Margin float64
	columns        [][]int            // by subject
	Readouts       []*readout.Readout // by subject, fixed
	// r₀ by subject and block of the trainer's order; 0 where the subject is not in the block
	Before [][]float32
}

// newRetention returns the constraint of an experiment, not yet fitted; nil without retained ROIs.
func (t *Trainer) newRetention(ctx context.Context) (*Retention, error) {
	exp := t.Study.Experiment
	if len(exp.Train.RetainROI) == 0 {
		return nil, nil
	}
	g := &Retention{weight: exp.Train.RetainWeight, Margin: exp.Train.RetainMargin}
	for _, p := range t.Study.Subjects {
		columns, err := retainedColumns(ctx, t.Study, p)
		if err != nil {
			return nil, err
		}
		g.columns = append(g.columns, columns)
		err = torch.Do(ctx, torch.Mode{Device: t.Session.Device}, func(s *torch.Scope) error {
			r, err := readout.New(s, nn.NewStore(), t.Study.Model.Architecture().Width*len(t.Study.Delays), 0,
				len(columns), nn.Zeros)
			g.Readouts = append(g.Readouts, r)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return g, nil
}

// retainedColumns returns a subject's voxels of the retained ROIs that vary in the training rows.
func retainedColumns(ctx context.Context, st *study.Study, p *study.Subject) ([]int, error) {
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
		return nil, fault.New(fault.BadData, "retention constraint", p.Name,
			"no voxel of train.retain_roi varies in the training rows")
	}
	return columns, nil
}

// FitRetention fits the readouts of the constraint to features of the untuned model.
func (t *Trainer) FitRetention(ctx context.Context, f *encoding.RowFeatures) error {
	g := t.Retention
	g.Before = nil
	for i, p := range t.Study.Subjects {
		if err := t.fitReadout(ctx, f, p, g.columns[i], t.Study.RidgeOptions(), []*nn.Store{g.Readouts[i].Store},
			[]int{len(g.columns[i])}); err != nil {
			return err
		}
		before := make([]float32, len(t.Order))
		err := t.Session.Infer(ctx, func(s *torch.Scope) error {
			for k, b := range t.Order {
				if slices.Contains(b.Subjects, i) {
					rows := design.Rows{Story: b.Story, From: b.From, To: b.To}
					want, err := p.Read(ctx, g.columns[i], rows)
					if err != nil {
						return err
					}
					x := s.FromFloat32(f.Of(rows), rows.Len(), f.Width)
					before[k] = float32(t.retainedR(s, i, x, want).Item())
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

// retainedR returns r of the retained voxels of subject i, one element, from features x (rows, F) of model.layer.
func (t *Trainer) retainedR(s *torch.Scope, i int, x *torch.Tensor, responses []float32) *torch.Tensor {
	want := s.FromFloat32(responses, x.Dim(0), len(t.Retention.columns[i]))
	return loss.Correlation(t.Retention.Readouts[i].Forward(x), want, nil, 0).Mean()
}

// retentionLoss returns the penalty of subject i in a block with features x (rows, F).
func (t *Trainer) retentionLoss(s *torch.Scope, b Block, i int, x *torch.Tensor, responses []float32) *torch.Tensor {
	g := t.Retention
	r0 := float64(g.Before[i][t.placeOf(b)])
	x = readout.State(x, t.states()-1, t.states(), len(t.Study.Delays)) // of model.layer
	return t.retainedR(s, i, x, responses).Neg().AddScalar(r0 - g.Margin).ReLU().MulScalar(g.weight)
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

// retentionTensors returns the state of the constraint for a checkpoint.
func (t *Trainer) retentionTensors() (out []ckpt.Tensor) {
	if t.Retention == nil {
		return nil
	}
	for i, p := range t.Study.Subjects {
		out = append(out, rundir.TensorsOf("retention."+p.Name+".", t.Retention.Readouts[i].Store.Params())...)
		out = append(out, ckpt.NewTensor("retention."+p.Name+".before", []int{len(t.Order)}, t.Retention.Before[i]))
	}
	return out
}

// restoreRetention reads the state of the constraint from a checkpoint.
func (t *Trainer) restoreRetention(ctx context.Context, f *ckpt.File) error {
	if t.Retention == nil {
		return nil
	}
	t.Retention.Before = nil
	return t.Session.Train(ctx, 0, func(s *torch.Scope) error {
		for i, p := range t.Study.Subjects {
			if err := restoreStore(s, f, "retention."+p.Name+".", t.Retention.Readouts[i].Store); err != nil {
				return err
			}
			before, err := f.Float32("retention." + p.Name + ".before")
			if err != nil {
				return err
			}
			t.Retention.Before = append(t.Retention.Before, before)
		}
		return nil
	})
}

// restoreStore reads the parameters of a store that no optimizer changes.
func restoreStore(s *torch.Scope, f *ckpt.File, prefix string, store *nn.Store) error {
	for name, p := range store.Params() {
		v, err := rundir.ReadTensor(s, f, prefix+name)
		if err != nil {
			return err
		}
		p.CopyFrom(v)
	}
	return nil
}

func (g *Retention) close() {
	if g != nil {
		for _, r := range g.Readouts {
			r.Close()
		}
	}
}

// r returns the mean over subjects of the mean validation score of their retained voxels.
func (g *Retention) r(subjects []encoding.VoxelScores) float64 {
	total := 0.
	for i, s := range subjects {
		r, constant := s.Of(g.columns[i])
		mean, _ := stats.Mean(r, constant, nil)
		total += mean / float64(len(subjects))
	}
	return total
}

// Admits reports whether an epoch may be chosen, given the one before training.
func (g *Retention) Admits(e, untuned results.Epoch) bool {
	return g == nil || *e.RetainedR >= *untuned.RetainedR-g.Margin
}
