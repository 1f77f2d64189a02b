package tune

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/brain/internal/study"
	"github.com/brainwavlm/bwlm/brain/readout"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// mixReadout puts a mix in front of a person's readout.
func (t *Trainer) mixReadout(s *torch.Scope, r *readout.Readout, p *study.Subject) error {
	groups, err := mixedGroups(s.Context(), t.Study, p)
	if err != nil {
		return err
	}
	r.Mix, err = readout.NewLayerWeights(s, nn.NewStore(), t.mixed(), len(t.Study.Delays), groups)
	return err
}

// mixedGroups numbers the groups of a person's tuned voxels that share a mix: each voxel, or the first region of the
// data set that it is in; voxels of no region share one.
func mixedGroups(ctx context.Context, st *study.Study, p *study.Subject) ([]int, error) {
	groups := make([]int, len(p.Tuned))
	if st.Experiment.Readout.LayerWeights == experiment.LayerWeightsVoxel {
		for i := range groups {
			groups[i] = i
		}
		return groups, nil
	}
	names := st.Data.ROIs()
	for g, name := range slices.Backward(names) {
		columns, err := study.Region(ctx, st.Data, name, p.Name, p.Voxels)
		if err != nil {
			return nil, err
		}
		for i, c := range p.Tuned {
			if _, in := slices.BinarySearch(columns, c); in {
				groups[i] = g + 1
			}
		}
	}
	return groups, nil
}
