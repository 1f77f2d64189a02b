package wavlm

import (
	"math"

	"github.com/brainwavlm/bwlm/speech"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// bucket returns the class of a relative position r = key - query: one per distance for near keys,
// logarithmic further away, and one for all distances from far on. Keys before the query have the
// first half of the buckets, keys after it the second half (T5, Raffel et al. 2020; transformers'
// _relative_positions_bucket).
func bucket(r, buckets, far int) int {
	half := buckets / 2
	exact := half / 2
	first, d := 0, -r
	if r > 0 {
		first, d = half, r
	}
	if d < exact {
		return first + d
	}
	growth := math.Log(float64(d)/float64(exact)) / math.Log(float64(far)/float64(exact))
	return first + min(half-1, exact+int(growth*float64(half-exact)))
}

// positionTable has a number for each bucket and head.
type positionTable struct {
	weight *torch.Tensor // (buckets, H)
	cfg    Config
}

// newPositionTable builds the table, which layer 0 owns.
func newPositionTable(b *nn.Builder, cfg Config) *positionTable {
	return &positionTable{b.Param("rel_attn_embed.weight", nn.Normal(cfg.InitSize), cfg.Buckets, cfg.Heads), cfg}
}

// forward returns the position bias (H, T, T): element h, i, j is head h's number for the bucket of
// j - i. It is the same for all clips and layers.
func (p *positionTable) forward(s *torch.Scope, frames int) *torch.Tensor {
	defer s.Part(speech.PartEmbedding)()
	diagonals := make([]int, 2*frames-1) // of j - i from -(T-1) to T-1
	for i := range diagonals {
		diagonals[i] = bucket(i-(frames-1), p.cfg.Buckets, p.cfg.MaxDistance)
	}
	return s.Attach(p.weight).Scoped(func(w *torch.Tensor) *torch.Tensor {
		return toeplitz(w.IndexSelect(0, diagonals).Transpose(0, 1)) // (H, T, T)
	})
}

// toeplitz expands diagonals d (H, 2T-1) to (H, T, T) with element h, i, j equal to d[h, j-i+T-1].
// T copies of d are read as rows that are one element shorter, so that each row starts one element
// later in d than the next. Neither the forward nor the backward pass then needs an index of T²
// elements.
func toeplitz(d *torch.Tensor) *torch.Tensor {
	h, n := d.Dim(0), d.Dim(1)
	t := (n + 1) / 2
	if t == 1 {
		return d.Unsqueeze(2)
	}
	rows := d.Unsqueeze(1).Expand(h, t, n).Reshape(h, t*n)
	return rows.Narrow(1, t-1, t*(n-1)).Reshape(h, t, n-1).Narrow(2, 0, t).Contiguous()
}
