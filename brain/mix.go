package brain

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/brain/design"
	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// layerMix gives each group of voxels, or each voxel, a soft choice among the hidden states 0 to model.layer, as the
// Memory Encoding Model does for images (arXiv 2308.01175): early states serve auditory cortex, late ones meaning, and
// one adapter can serve both. The share of state l for voxel v is softmax(logits)_lg, g being the group of v; all start
// alike. What follows is linear, so mixing the features and mixing the predictions of each state is the same:
//
//	ŷ_v = w_v · Σ_l a_lv x_l + b_v = Σ_l a_lv (w_v · x_l + b_v)
//
// The mix shapes training only. Scores come from a ridge as always, on model.layer, or, with eval.layer: voxel, on the
// hidden state that serves a voxel best.
type layerMix struct {
	store  *nn.Store
	logits *torch.Tensor // (L, groups)
	groups []int         // of each voxel
	states int           // L
	delays int           // D
}

// Names in the files of readouts.
const (
	mixLogits = "mix.logits"
	mixGroups = "mix_groups"
)

// newLayerMix makes the mix of so many hidden states, or a second one over a full store.
func newLayerMix(s *torch.Scope, store *nn.Store, states, delays int, groups []int) (*layerMix, error) {
	m := &layerMix{store: store, groups: groups, states: states, delays: delays}
	err := store.Build(s, nn.Fresh{}, nil, func(b *nn.Builder) {
		m.logits = b.Param(mixLogits, nn.Zeros, states, slices.Max(groups)+1)
	})
	return m, err
}

// mixReadout puts a mix in front of a person's readout.
func (t *trainer) mixReadout(s *torch.Scope, r *Readout, p *person) error {
	groups, err := t.mixedGroups(s.Context(), p)
	if err != nil {
		return err
	}
	r.mix, err = newLayerMix(s, nn.NewStore(), t.mixed(), len(t.delays), groups)
	return err
}

// forward mixes what a linear map makes of each hidden state in x (T, D·L·E): (T, V).
func (m *layerMix) forward(x *torch.Tensor, linear func(*torch.Tensor) *torch.Tensor) *torch.Tensor {
	s := x.Scope()
	share := s.Use(m.logits).Softmax(0).IndexSelect(1, m.groups) // (L, V)
	total := linear(state(x, 0, m.states, m.delays)).Mul(share.Select(0, 0))
	for l := 1; l < m.states; l++ {
		total = total.Add(linear(state(x, l, m.states, m.delays)).Mul(share.Select(0, l)))
	}
	return total
}

// state takes one of so many hidden states out of delayed features x (T, D·L·E) of all: (T, D·E).
func state(x *torch.Tensor, l, states, delays int) *torch.Tensor {
	if states == 1 {
		return x
	}
	rows, width := x.Dim(0), x.Dim(1)/states // D·E
	return x.Reshape(rows, delays, states, width/delays).Select(2, l).Reshape(rows, width)
}

// mixedGroups numbers the groups of a person's tuned voxels that share a mix: each voxel, or the first region of the
// data set that it is in; voxels of no region share one.
func (st *Study) mixedGroups(ctx context.Context, p *person) ([]int, error) {
	groups := make([]int, len(p.tuned))
	if st.Experiment.Readout.LayerWeights == experiment.LayerWeightsVoxel {
		for i := range groups {
			groups[i] = i
		}
		return groups, nil
	}
	names := st.Data.ROIs()
	for g, name := range slices.Backward(names) {
		columns, err := region(ctx, st.Data, name, p.name, p.voxels)
		if err != nil {
			return nil, err
		}
		for i, c := range p.tuned {
			if _, in := slices.BinarySearch(columns, c); in {
				groups[i] = g + 1
			}
		}
	}
	return groups, nil
}

// joined sets the features of several hidden states side by side, as state takes them apart: delays × states × channels.
func joined(fs []rowFeatures, delays int) *rowFeatures {
	if len(fs) == 1 {
		return &fs[0]
	}
	out := &rowFeatures{width: fs[0].width * len(fs), rows: map[string][]float32{}, zscore: map[string]design.ZScore{}}
	channels := fs[0].width / delays
	for story, first := range fs[0].rows {
		var z design.ZScore
		for _, f := range fs {
			z.Mean, z.SD = append(z.Mean, f.zscore[story].Mean...), append(z.SD, f.zscore[story].SD...)
		}
		x := make([]float32, 0, len(first)*len(fs))
		for at := 0; at < len(first); at += channels { // each delay of each row
			for _, f := range fs {
				x = append(x, f.rows[story][at:at+channels]...)
			}
		}
		out.rows[story], out.zscore[story] = x, z
	}
	return out
}
