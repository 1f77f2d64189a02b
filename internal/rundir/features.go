package rundir

import (
	"fmt"
	"maps"
	"slices"

	"github.com/brainwavlm/bwlm/internal/ckpt"
	"github.com/brainwavlm/bwlm/npy"
)

// featuresFile is where the features of an epoch and layer are in a run directory.
func featuresFile(epoch, layer int) []string {
	return []string{"features", fmt.Sprintf("epoch-%d", epoch), fmt.Sprintf("layer-%d.safetensors", layer)}
}

// SaveFeatures writes the features of hidden state layer at the end of an epoch: for each story a float32 matrix (rows,
// width), neither standardised nor delayed, under its name.
func (r *Run) SaveFeatures(epoch, layer int, stories map[string]npy.Matrix) error {
	if r.reads {
		return nil
	}
	path, err := r.Path(featuresFile(epoch, layer)...)
	if err != nil {
		return err
	}
	var tensors []ckpt.Tensor
	for _, name := range slices.Sorted(maps.Keys(stories)) {
		m := stories[name]
		tensors = append(tensors, ckpt.NewTensor(name, []int{m.Rows, m.Cols}, m.Data))
	}
	return ckpt.Write(path, tensors, nil)
}
