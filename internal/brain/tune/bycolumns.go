package tune

import (
	"slices"

	"github.com/brainwavlm/bwlm/internal/brain/columns"
	"github.com/brainwavlm/bwlm/internal/brain/phases"
	"github.com/brainwavlm/bwlm/internal/brain/readout"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/dist"
)

// columnPass is the loss of a block of rows where blocks of voxels are shared out among ranks. A subject of one block
// of voxels has its loss computed whole by the rank that has it. That of others is a function L of sums over voxels,
// see [loss.Columns], in three stages:
//
//  1. each block of voxels predicts, and has sums S_b with their graph;
//  2. all ranks have S = Σ S_b, L(S) and ∂L/∂S;
//  3. each block goes back from Σ S_b·∂L/∂S to its weights and to h, the input of all blocks of the subject.
//
// What ∂/∂h have the blocks is added up in their order, and from h down all ranks compute alike. So are the sums, in
// Float64, and no bit depends on the number of ranks.
type columnPass struct {
	trainer *Trainer
	scope   *torch.Scope
	block   Block
	rows    int
	share   float64           // of each subject in the loss
	inputs  []*torch.Tensor   // h (rows, K) by subject of the block
	ranks   [][]columns.Block // by rank: those of the block's subjects
	heads   []*head           // of this rank
}

// head is the last layer for one block of voxels.
type head struct {
	*readout.Block
	subject int           // index in the block of rows
	h       *torch.Tensor // the input, where its graph ends
	out     *torch.Tensor // the loss, or sums for it
}

func (t *Trainer) newColumnPass(s *torch.Scope, b Block) *columnPass {
	p := &columnPass{trainer: t, scope: s, block: b, rows: b.To - b.From, share: 1 / float64(len(b.Subjects)),
		inputs: make([]*torch.Tensor, len(b.Subjects))}
	for _, all := range t.columns {
		p.ranks = append(p.ranks, slices.DeleteFunc(slices.Clone(all), func(c columns.Block) bool {
			return !slices.Contains(b.Subjects, c.Subject)
		}))
	}
	return p
}

// input computes the input of all blocks of the k-th subject from features x (rows, F).
func (p *columnPass) input(k int, x *torch.Tensor) {
	p.inputs[k] = p.trainer.Readouts[p.block.Subjects[k]].Input(x)
}

// alone reports whether the k-th subject has one block of voxels.
func (p *columnPass) alone(k int) bool { return p.voxels(k) <= columns.Width }

func (p *columnPass) voxels(k int) int {
	return len(p.trainer.Study.Subjects[p.block.Subjects[k]].Tuned)
}

// numbers is how many numbers a block of voxels of the k-th subject has for the others.
func (p *columnPass) numbers(k int) int {
	if p.alone(k) {
		return 1
	}
	return p.trainer.loss.Numbers(p.rows)
}

// predict is the first stage, with the responses of this rank's voxels.
func (p *columnPass) predict(y *Targets) {
	defer p.scope.Part(phases.PartLoss)()
	t := p.trainer
	for k, i := range p.block.Subjects {
		width := len(t.tunedHere(i))
		at := 0
		for _, b := range t.Readouts[i].Blocks {
			h := p.inputs[k].Detach()
			if p.inputs[k].RequiresGrad() {
				h.RequireGrad(true)
			}
			data := torch.Part(p.scope.Context(), phases.PartData)
			want := p.scope.FromFloat32(narrow(y.tuned[k], width, at, b.Len()), p.rows, b.Len())
			data()
			at += b.Len()
			var weights *torch.Tensor
			if w := t.Study.Subjects[i].Weights; w != nil {
				weights = p.scope.FromFloat32(w[b.From:b.To], b.Len())
			}
			of := t.loss.Sums
			if p.alone(k) {
				of = t.Study.Loss
			}
			p.heads = append(p.heads, &head{b, k, h, of(b.Forward(h), want, weights)})
		}
	}
}

// narrow returns columns of x (·, width) from one on.
func narrow(x []float32, width, from, n int) []float32 {
	if n == width {
		return x
	}
	out := make([]float32, 0, len(x)/width*n)
	for ; len(x) > 0; x = x[width:] {
		out = append(out, x[from:from+n]...)
	}
	return out
}

// losses is the second stage: the loss of each subject, one element, and where graph is set its derivatives by the sums
// times the share of a subject; nil for a subject of one block.
func (p *columnPass) losses(graph bool) (values, seeds []*torch.Tensor, err error) {
	defer p.scope.Part(phases.PartLoss)()
	var mine []float64
	for _, h := range p.heads {
		if p.alone(h.subject) {
			mine = append(mine, h.out.Item())
		} else {
			mine = append(mine, h.out.Float64s()...)
		}
	}
	lengths := make([]int, len(p.ranks))
	for rank, all := range p.ranks {
		for _, c := range all {
			lengths[rank] += p.numbers(p.place(c))
		}
	}
	parts, err := dist.Gather(p.group(), "sums of the loss", mine, lengths)
	if err != nil {
		return nil, nil, err
	}
	sums := make([][]float64, len(p.inputs))
	for rank, part := range parts {
		for _, c := range p.ranks[rank] {
			k := p.place(c)
			n := p.numbers(k)
			sums[k] = plus(sums[k], part[:n])
			part = part[n:]
		}
	}
	for k := range sums {
		value, seed := sums[k][0], (*torch.Tensor)(nil)
		if !p.alone(k) {
			all := p.scope.FromFloat64(sums[k], len(sums[k])).RequireGrad(graph)
			loss := p.trainer.loss.Loss(all, p.rows, p.voxels(k))
			if value = loss.Item(); graph {
				loss.MulScalar(p.share).Backward()
				seed = all.Grad(p.scope)
			}
		}
		values, seeds = append(values, p.scope.FromFloat32([]float32{float32(value)}).Reshape()), append(seeds, seed)
	}
	return values, seeds, nil
}

// place is the index of a block's subject in the block of rows.
func (p *columnPass) place(c columns.Block) int { return slices.Index(p.block.Subjects, c.Subject) }

func (p *columnPass) group() *dist.Group { return p.trainer.Study.Options.Ranks }

// plus adds x to sum. The first x is taken as it is, with the signs of its zeros.
func plus(sum, x []float64) []float64 {
	if sum == nil {
		return slices.Clone(x)
	}
	for i, v := range x {
		sum[i] += v
	}
	return sum
}

// backward is the third stage.
func (p *columnPass) backward(seeds []*torch.Tensor) {
	defer p.scope.Part(phases.PartLoss)()
	for _, h := range p.heads {
		if out := h.out; !out.RequiresGrad() { // a ridge readout of a model that is not tuned
			continue
		} else if p.alone(h.subject) {
			out.MulScalar(p.share).Backward()
		} else {
			out.Mul(seeds[h.subject]).Sum().Backward()
		}
	}
}

// gradients returns the gradients of the inputs of all subjects (rows, K), nil where none is needed: sums over the
// blocks of voxels of all ranks, in their order.
func (p *columnPass) gradients() ([]*torch.Tensor, error) {
	defer p.scope.Part(phases.PartLoss)()
	out := make([]*torch.Tensor, len(p.inputs))
	sum := &runningSum{group: p.group(), sizes: make([]int, len(p.inputs))}
	for k, h := range p.inputs {
		if h.RequiresGrad() {
			sum.sizes[k] = h.Len()
		}
	}
	for _, all := range p.ranks {
		sum.has = append(sum.has, len(all) > 0)
	}
	var mine []addend[float64]
	for _, h := range p.heads {
		if sum.sizes[h.subject] > 0 {
			mine = append(mine, addend[float64]{h.subject, h.h.Grad(p.scope).ToType(torch.Float64).Float64s()})
		}
	}
	over := sum.over
	if p.group() != nil && p.trainer.Study.Options.FastSums {
		over = func(mine []addend[float64]) ([][]float32, error) { return anyOrder(p.group(), sum.sizes, mine) }
	}
	totals, err := over(mine)
	if err != nil {
		return nil, err
	}
	for k, h := range p.inputs {
		if sum.sizes[k] > 0 {
			out[k] = p.scope.FromFloat32(totals[k], h.Shape()...)
		}
	}
	return out, nil
}
