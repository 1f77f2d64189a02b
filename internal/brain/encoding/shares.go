package encoding

import (
	"github.com/brainwavlm/bwlm/internal/brain/columns"
	"github.com/brainwavlm/bwlm/torch/dist"
)

// Shares are some voxels of all subjects, of which each rank scores blocks.
type Shares struct {
	group  *dist.Group
	voxels []int             // of each subject
	ranks  [][]columns.Block // by rank
}

// NewShares deals blocks of voxels to the ranks.
func NewShares(g *dist.Group, voxels [][]int) *Shares {
	x := &Shares{group: g, voxels: make([]int, len(voxels))}
	for i, list := range voxels {
		x.voxels[i] = len(list)
	}
	blocks := columns.Blocks(x.voxels)
	for rank := range g.World() {
		x.ranks = append(x.ranks, columns.Share(blocks, g.World(), rank))
	}
	return x
}

// share returns this rank's part of what each voxel of each subject has.
func share[T any](x *Shares, all [][]T) [][]T {
	out := make([][]T, len(all))
	for i := range all {
		from, to := columns.Span(x.ranks[x.group.Rank()], i)
		out[i] = all[i][from:to]
	}
	return out
}

// Gather returns the scores of all voxels from those of each rank's.
func (x *Shares) Gather(mine []VoxelScores) ([]VoxelScores, error) {
	if x.group == nil {
		return mine, nil
	}
	const each = 3 // numbers of a voxel
	var flat []float64
	for i := range mine {
		for v, r := range mine[i].R {
			constant := 0.
			if mine[i].Constant[v] {
				constant = 1
			}
			flat = append(flat, r, mine[i].Alphas[v], constant)
		}
	}
	lengths := make([]int, len(x.ranks))
	for rank, share := range x.ranks {
		for _, b := range share {
			lengths[rank] += each * b.Len()
		}
	}
	parts, err := dist.Gather(x.group, "scores", flat, lengths)
	if err != nil {
		return nil, err
	}
	out := make([]VoxelScores, len(mine))
	for rank, part := range parts {
		for _, b := range x.ranks[rank] {
			s := &out[b.Subject]
			for range b.Len() {
				s.R, s.Alphas, s.Constant = append(s.R, part[0]), append(s.Alphas, part[1]), append(s.Constant,
					part[2] != 0)
				part = part[each:]
			}
		}
	}
	return out, nil
}
