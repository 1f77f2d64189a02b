package brain

import "github.com/brainwavlm/bwlm/torch"

// backward computes the loss of a block from its windows' vectors and the gradients of all that is tuned.
func (t *trainer) backward(s *torch.Scope, b block, sp span, vectors *torch.Tensor) float64 {
	rows := s.Part(PartReadout)
	z := sp.rowFeatures(vectors, t.zscoreOf(b.story)) // (halo+rows, E), of a layer mix (halo+rows, L·E)
	x := delayed(z, t.delays, sp.halo)                // (rows, F)
	rows()
	total := s.Zeros()
	for _, i := range b.subjects {
		total = total.Add(t.objective(s, b, i, x))
	}
	total = total.Scale(1 / float64(len(b.subjects)))
	total.Backward()
	return total.Item()
}

// objective is what is minimised for person i on a block with features x (rows, F).
func (t *trainer) objective(s *torch.Scope, b block, i int, x *torch.Tensor) *torch.Tensor {
	defer s.Part(PartLoss)()
	loss := t.fidelity(s, b, i, x)
	if t.guard != nil {
		loss = loss.Add(t.guardLoss(s, b, i, x))
	}
	return loss
}

// fidelity is the loss of what person i's readout predicts on a block with features x (rows, F).
func (t *trainer) fidelity(s *torch.Scope, b block, i int, x *torch.Tensor) *torch.Tensor {
	p := t.people[i]
	data := torch.Part(s.Context(), PartData)
	want := s.FromFloat32(p.responses[b.story].block(b.from, b.to, p.tuned, p.voxels), b.to-b.from, len(p.tuned))
	data()
	return t.loss(t.readouts[i].Forward(x), want, p.weightsIn(s))
}
