package tune

import (
	"context"

	"github.com/brainwavlm/bwlm/internal/rundir"
	"github.com/brainwavlm/bwlm/npy"
)

// saveFeatures writes the features of all stories at their rows, by the model as it is.
func (t *Trainer) saveFeatures(ctx context.Context, run *rundir.Run, epoch int) error {
	layers := map[string][]int{"layer": {t.Study.Experiment.Model.Layer}, "all": t.Study.AllLayers()}
	wanted := layers[t.Study.Experiment.Train.SaveFeatures]
	if wanted == nil {
		return nil
	}
	byLayer := make([]map[string]npy.Matrix, len(wanted))
	for i := range byLayer {
		byLayer[i] = map[string]npy.Matrix{}
	}
	width := t.Model.Architecture().Width
	for _, story := range t.Study.Stories {
		stim := t.Study.Stimuli[story]
		vectors, err := t.Reader.Features(ctx, stim, wanted)
		if err != nil {
			return err
		}
		for i, x := range vectors {
			byLayer[i][story] = npy.Matrix{Rows: stim.Rows, Cols: width, Data: stim.Design.Resample(x, width)}
		}
	}
	for i, layer := range wanted {
		if err := run.SaveFeatures(epoch, layer, byLayer[i]); err != nil {
			return err
		}
	}
	return nil
}
