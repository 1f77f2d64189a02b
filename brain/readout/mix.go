package readout

import (
	"slices"

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
type LayerWeights struct {
	Store  *nn.Store
	Logits *torch.Tensor // (L, groups)
	groups []int         // of each voxel
	States int           // L
	delays int           // D
}

// Names in the files of readouts.
const (
	MixLogits = "mix.logits"
	MixGroups = "mix_groups"
)

// newLayerMix makes the mix of so many hidden states, or a second one over a full store.
func NewLayerWeights(s *torch.Scope, store *nn.Store, states, delays int, groups []int) (*LayerWeights, error) {
	m := &LayerWeights{Store: store, groups: groups, States: states, delays: delays}
	err := store.Build(s, nn.Fresh{}, nil, func(b *nn.Builder) {
		m.Logits = b.Param(MixLogits, nn.Zeros, states, slices.Max(groups)+1)
	})
	return m, err
}

// forward mixes what a linear map makes of each hidden state in x (T, D·L·E): (T, V).
func (m *LayerWeights) forward(x *torch.Tensor, linear func(*torch.Tensor) *torch.Tensor) *torch.Tensor {
	s := x.Scope()
	share := s.Attach(m.Logits).Softmax(0).IndexSelect(1, m.groups) // (L, V)
	total := linear(State(x, 0, m.States, m.delays)).Mul(share.Select(0, 0))
	for l := 1; l < m.States; l++ {
		total = total.Add(linear(State(x, l, m.States, m.delays)).Mul(share.Select(0, l)))
	}
	return total
}

// State takes one of so many hidden states out of delayed features x (T, D·L·E) of all: (T, D·E).
func State(x *torch.Tensor, l, states, delays int) *torch.Tensor {
	if states == 1 {
		return x
	}
	rows, width := x.Dim(0), x.Dim(1)/states // D·E
	return x.Reshape(rows, delays, states, width/delays).Select(2, l).Reshape(rows, width)
}
