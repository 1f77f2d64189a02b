package readout

import (
	"slices"

	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// LayerWeights is a learned weighted sum of the hidden states 0 to model.layer for each group of
// voxels, as in the Memory Encoding Model for images (arXiv 2308.01175): early states predict
// auditory cortex, late ones semantic areas, and one adapter can serve both. The weight of state l
// for voxel v is softmax(logits)_lg, where g is the group of v; all start equal. The readout is
// linear, so the sum of the features and the sum of the predictions of each state are the same:
//
//	ŷ_v = w_v · Σ_l a_lv x_l + b_v = Σ_l a_lv (w_v · x_l + b_v)
//
// The weights affect training only. Scores come from a ridge on model.layer or, with eval.layer:
// voxel, on the best hidden state of each voxel.
type LayerWeights struct {
	Store  *nn.Store
	Logits *torch.Tensor // (L, groups)
	groups []int         // of each voxel
	States int           // L
	delays int           // D
}

// Names in the files of readouts.
const (
	LayerWeightsLogits = "layer_weights.logits"
	LayerWeightsGroups = "layer_weights_groups"
)

// NewLayerWeights returns layer weights of a number of hidden states, or a view of those in a full store.
func NewLayerWeights(s *torch.Scope, store *nn.Store, states, delays int, groups []int) (*LayerWeights, error) {
	m := &LayerWeights{Store: store, groups: groups, States: states, delays: delays}
	err := store.Build(s, nn.Fresh{}, nil, func(b *nn.Builder) {
		m.Logits = b.Param(LayerWeightsLogits, nn.Zeros, states, slices.Max(groups)+1)
	})
	return m, err
}

// forward sums the outputs of a linear map for each hidden state in x (T, D·L·E): (T, V).
func (m *LayerWeights) forward(x *torch.Tensor, linear func(*torch.Tensor) *torch.Tensor) *torch.Tensor {
	s := x.Scope()
	weights := s.Attach(m.Logits).Softmax(0).IndexSelect(1, m.groups) // (L, V)
	total := linear(State(x, 0, m.States, m.delays)).Mul(weights.Select(0, 0))
	for l := 1; l < m.States; l++ {
		total = total.Add(linear(State(x, l, m.States, m.delays)).Mul(weights.Select(0, l)))
	}
	return total
}

// State returns one of the hidden states of delayed features x (T, D·L·E): (T, D·E).
func State(x *torch.Tensor, l, states, delays int) *torch.Tensor {
	if states == 1 {
		return x
	}
	rows, width := x.Dim(0), x.Dim(1)/states // D·E
	return x.Reshape(rows, delays, states, width/delays).Select(2, l).Reshape(rows, width)
}
