package tune

import (
	"context"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/internal/brain/phases"
	"github.com/brainwavlm/bwlm/internal/brain/sections"
	"github.com/brainwavlm/bwlm/torch"
)

// backward computes the loss of a block from the vectors of its windows, and its gradients down to the vectors.
func (t *Trainer) backward(s *torch.Scope, b Block, y *Targets, section sections.Section,
	vectors *torch.Tensor) (float64, error) {
	rows := s.Part(phases.PartReadout)
	x := section.Matrix(vectors, t.zscoreOf(b.Story)) // (rows, F)
	rows()
	if t.whole() {
		total := s.Zeros()
		for k := range b.Subjects {
			total = total.Add(t.objective(s, b, k, x, y))
		}
		total = total.MulScalar(1 / float64(len(b.Subjects)))
		total.Backward()
		return total.Item(), nil
	}
	p := t.newColumnPass(s, b)
	var penalties []*torch.Tensor // nil without retention
	for k, i := range b.Subjects {
		p.input(k, x)
		if t.Retention != nil {
			penalties = append(penalties, t.retentionLoss(s, b, i, x, y.retained[k]))
		}
	}
	p.predict(y)
	losses, seeds, err := p.losses(true)
	if err != nil {
		return 0, err
	}
	p.backward(seeds)
	gradients, err := p.gradients()
	if err != nil {
		return 0, err
	}
	defer s.Part(phases.PartLoss)()
	total, rest := s.Zeros(), s.Zeros() // the loss, and what has its gradient down to the inputs of all blocks
	for k := range b.Subjects {
		objective := losses[k]
		if g := gradients[k]; g != nil {
			rest = rest.Add(p.inputs[k].Mul(g).Sum()) // the gradient of Σ h·g is g
		}
		if penalties != nil {
			objective = objective.Add(penalties[k].Detach())
			rest = rest.Add(penalties[k].MulScalar(p.share))
		}
		total = total.Add(objective)
	}
	if rest.RequiresGrad() {
		rest.Backward()
	}
	return total.MulScalar(p.share).Item(), nil
}

// whole reports whether every rank has the whole readouts: with layer weights, which all voxels of a group share.
func (t *Trainer) whole() bool { return t.states() > 1 }

// objective returns the loss and penalties of the k-th subject of a block with features x (rows, F), by whole readouts.
func (t *Trainer) objective(s *torch.Scope, b Block, k int, x *torch.Tensor, y *Targets) *torch.Tensor {
	defer s.Part(phases.PartLoss)()
	i := b.Subjects[k]
	loss := t.fidelity(s, i, x, y.tuned[k])
	if t.Retention != nil {
		loss = loss.Add(t.retentionLoss(s, b, i, x, y.retained[k]))
	}
	return loss
}

// fidelity returns the loss between the responses and the predictions of the whole readout of subject i from features x
// (rows, F).
func (t *Trainer) fidelity(s *torch.Scope, i int, x *torch.Tensor, responses []float32) *torch.Tensor {
	p := t.Study.Subjects[i]
	data := torch.Part(s.Context(), phases.PartData)
	want := s.FromFloat32(responses, x.Dim(0), len(p.Tuned))
	data()
	return t.Study.Loss(t.Readouts[i].Forward(x), want, p.WeightsIn(s))
}

// Targets are the responses of a block, by index in its subjects.
type Targets struct {
	tuned    [][]float32 // (rows, tuned voxels of this rank)
	retained [][]float32 // (rows, retained voxels); nil without a retention constraint
}

// ReadTargets reads the responses of a block.
func (t *Trainer) ReadTargets(ctx context.Context, b Block) (*Targets, error) {
	defer torch.Part(ctx, phases.PartData)()
	y, rows := &Targets{}, design.Rows{Story: b.Story, From: b.From, To: b.To}
	for _, i := range b.Subjects {
		p := t.Study.Subjects[i]
		var tuned []float32
		var err error
		if mine := t.tunedHere(i); len(mine) > 0 {
			tuned, err = p.Read(ctx, mine, rows)
		}
		if err != nil {
			return nil, err
		}
		y.tuned = append(y.tuned, tuned)
		if t.Retention == nil {
			continue
		}
		retained, err := p.Read(ctx, t.Retention.columns[i], rows)
		if err != nil {
			return nil, err
		}
		y.retained = append(y.retained, retained)
	}
	return y, nil
}
