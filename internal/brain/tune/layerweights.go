package tune

import (
	"context"
	"slices"

	"github.com/brainwavlm/bwlm/brain/experiment"
	"github.com/brainwavlm/bwlm/internal/brain/readout"
	"github.com/brainwavlm/bwlm/internal/brain/study"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// addLayerWeights adds layer weights to a subject's readout.
func (t *Trainer) addLayerWeights(s *torch.Scope, r *readout.Readout, p *study.Subject) error {
	groups, err := layerWeightGroups(s.Context(), t.Study, p)
	if err != nil {
		return err
	}
	r.Weights, err = readout.NewLayerWeights(s, nn.NewStore(), t.states(), len(t.Study.Delays), groups)
	return err
}

// layerWeightGroups numbers the groups of a subject's tuned voxels that share layer weights: each
// voxel, or the first ROI of the data set that contains it; voxels outside all ROIs share one.
func layerWeightGroups(ctx context.Context, st *study.Study, p *study.Subject) ([]int, error) {
	groups := make([]int, len(p.Tuned))
	if st.Experiment.Readout.LayerWeights == experiment.LayerWeightsVoxel {
		for i := range groups {
			groups[i] = i
		}
		return groups, nil
	}
	names := study.ROIsOf(st.Data, p.Name)
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
