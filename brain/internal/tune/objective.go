package tune

import (
	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/progress"
	"github.com/brainwavlm/bwlm/torch"
)

// backward computes the loss of a block from the vectors of its windows, and its gradients down to the vectors.
func (t *Trainer) backward(s *torch.Scope, b Block, section design.Section, vectors *torch.Tensor) float64 {
	rows := s.Part(progress.PartReadout)
	x := section.Matrix(vectors, t.zscoreOf(b.Story)) // (rows, F)
	rows()
	total := s.Zeros()
	for _, i := range b.Subjects {
		total = total.Add(t.objective(s, b, i, x))
	}
	total = total.MulScalar(1 / float64(len(b.Subjects)))
	total.Backward()
	return total.Item()
}

// objective is what is minimised for person i on a block with features x (rows, F).
func (t *Trainer) objective(s *torch.Scope, b Block, i int, x *torch.Tensor) *torch.Tensor {
	defer s.Part(progress.PartLoss)()
	loss := t.fidelity(s, b, i, x)
	if t.Guard != nil {
		loss = loss.Add(t.guardLoss(s, b, i, x))
	}
	return loss
}

// fidelity is the loss of what person i's readout predicts on a block with features x (rows, F).
func (t *Trainer) fidelity(s *torch.Scope, b Block, i int, x *torch.Tensor) *torch.Tensor {
	p := t.Study.Subjects[i]
	data := torch.Part(s.Context(), progress.PartData)
	want := s.FromFloat32(p.Responses[b.Story].Block(b.From, b.To, p.Tuned, p.Voxels), b.To-b.From, len(p.Tuned))
	data()
	return t.Study.Loss(t.Readouts[i].Forward(x), want, p.WeightsIn(s))
}
