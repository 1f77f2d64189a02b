package tune

import (
	"context"
	"fmt"
	"iter"

	"github.com/brainwavlm/bwlm/internal/brain/columns"
	"github.com/brainwavlm/bwlm/internal/brain/readout"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// biases are the initial values of a readout's biases; nil are PyTorch's.
var biases = map[string]nn.Init{"zeros": nn.Zeros, "uniform": nil}

// shareColumns deals the blocks of tuned voxels to the ranks.
func (t *Trainer) shareColumns() {
	g := t.Study.Options.Ranks
	voxels := make([]int, len(t.Study.Subjects))
	for i, p := range t.Study.Subjects {
		if !t.whole() {
			voxels[i] = len(p.Tuned)
		}
	}
	all := columns.Blocks(voxels)
	for rank := range g.World() {
		t.columns = append(t.columns, columns.Share(all, g.World(), rank))
	}
}

// tunedHere returns the tuned voxels of subject i whose readout this rank has.
func (t *Trainer) tunedHere(i int) []int {
	p := t.Study.Subjects[i]
	if t.whole() {
		return p.Tuned
	}
	from, to := columns.Span(t.columns[t.Study.Options.Ranks.Rank()], i)
	return p.Tuned[from:to]
}

// newReadout returns the part of the readout of subject i that this rank has. Initial values are those of the whole.
func (t *Trainer) newReadout(ctx context.Context, i, width int) (out *readout.Shared, err error) {
	exp, p := t.Study.Experiment, t.Study.Subjects[i]
	mode := torch.Mode{Seed: torch.Seed(exp.Train.Seed, SeedReadout, uint64(i)), Device: t.Session.Device}
	store, bottleneck := nn.NewStore(), exp.Readout.Bottleneck
	if t.ridgeReadouts() {
		bottleneck = 0
	}
	err = torch.Do(ctx, mode, func(s *torch.Scope) error {
		r, err := readout.New(s, store, width, bottleneck, len(p.Tuned), biases[exp.Readout.Bias])
		if err == nil && exp.Readout.Init != "" {
			err = initReadout(s, store, exp.Readout.Init, p)
		}
		switch {
		case err != nil:
			return err
		case t.whole():
			out = &readout.Shared{Whole: r}
			return t.addLayerWeights(s, r, p)
		}
		var mine []columns.Block
		for _, b := range t.columns[t.Study.Options.Ranks.Rank()] {
			if b.Subject == i {
				mine = append(mine, b)
			}
		}
		out, err = r.Share(s, mine)
		return err
	})
	if err != nil || !t.whole() {
		store.Close()
	}
	return out, err
}

// blocks yields the blocks of the readouts of all subjects that this rank has.
func (t *Trainer) blocks() iter.Seq[*readout.Block] {
	return func(yield func(*readout.Block) bool) {
		for _, r := range t.Readouts {
			for _, b := range r.Blocks {
				if !yield(b) {
					return
				}
			}
		}
	}
}

// Params yields all parameters that this rank tunes, with their names. Those of a subject's only block of voxels have
// the names of a whole readout.
func (t *Trainer) Params() iter.Seq2[string, *torch.Tensor] {
	return func(yield func(string, *torch.Tensor) bool) {
		for name, p := range t.Adam.Params() {
			if !yield(name, p) {
				return
			}
		}
		for b := range t.blocks() {
			if b.Adam == nil {
				continue
			}
			p := t.Study.Subjects[b.Subject]
			suffix := ""
			if len(p.Tuned) > columns.Width {
				suffix = fmt.Sprintf("[%d:%d]", b.From, b.To)
			}
			for name, param := range b.Adam.Params() {
				if !yield(readoutPrefix+p.Name+"."+name+suffix, param) {
					return
				}
			}
		}
	}
}

// update takes the optimizer's step with all parameters and removes their gradients.
func (t *Trainer) update() {
	t.Adam.Step()
	for b := range t.blocks() {
		if b.Adam != nil {
			b.Adam.Step()
		}
	}
	t.ClearGrad()
}

// ClearGrad removes all gradients.
func (t *Trainer) ClearGrad() {
	t.Adam.ClearGrad()
	for b := range t.blocks() {
		if b.Adam != nil {
			b.Adam.ClearGrad()
		}
	}
}
