package whisper

import (
	"fmt"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/speech"
)

const (
	layersPrefix = "layers."
	positionsKey = "embed_positions.weight"
)

// FrozenDepth returns the greatest depth that depends on none of the named layers and parameters (see package speech).
// Nothing of the spectrogram, depth 0, is trained.
func (m *model) FrozenDepth(names ...string) int {
	depth := m.layers + 1
	for _, name := range names {
		layer := -1
		if strings.HasPrefix(name, layersPrefix) {
			fmt.Sscanf(name, layersPrefix+"%d.", &layer)
		} else if strings.HasPrefix(name, "layer_norm.") {
			layer = m.layers - 1 // after the last layer
		}
		depth = min(depth, layer+1)
	}
	return depth
}

// TrainedInFull reports whether full fine-tuning trains the parameter: all but the sinusoids, as in transformers.
func (m *model) TrainedInFull(name string) bool { return name != positionsKey }

// Ends of the names of linear layers.
var (
	projections  = []string{"k_proj", "v_proj", "q_proj", "out_proj"}
	feedForwards = []string{"fc1", "fc2"}
)

// Targets returns the ends of the names of the linear layers that a word stands for: auto is query, key and value.
func (m *model) Targets(t speech.Targets) []string {
	switch t {
	case speech.TargetsAuto:
		return []string{"q_proj", "k_proj", "v_proj"}
	case speech.TargetsAttention:
		return slices.Clone(projections)
	case speech.TargetsAllLinear:
		return slices.Concat(projections, feedForwards)
	}
	return nil
}

// LinearLayers returns the names of all linear layers in the order of the model.
func (m *model) LinearLayers() (names []string) {
	for l := range m.layers {
		at := fmt.Sprint(layersPrefix, l, ".")
		for _, name := range projections {
			names = append(names, at+"self_attn."+name)
		}
		for _, name := range feedForwards {
			names = append(names, at+name)
		}
	}
	return names
}
