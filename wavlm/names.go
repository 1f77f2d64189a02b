package wavlm

import (
	"fmt"
	"slices"
	"strings"

	"github.com/brainwavlm/bwlm/speech"
)

// Starts of the names of parameters: of the front end, and of the transformer's layers.
const (
	frontEndPrefix = "feature_extractor."
	layersPrefix   = "encoder.layers."
)

// FrozenDepth returns the greatest depth that depends on none of the named layers and parameters
// (see package speech): Layers+1 without names, and -1 if the front end depends on one.
func (m *model) FrozenDepth(names ...string) int {
	depth := m.Layers + 1
	for _, name := range names {
		depth = min(depth, depthBelow(name))
	}
	return depth
}

// depthBelow returns the greatest depth that does not depend on the layer or parameter.
func depthBelow(name string) int {
	layer := 0
	switch {
	case strings.HasPrefix(name, frontEndPrefix):
		return -1
	case strings.HasPrefix(name, layersPrefix):
		fmt.Sscanf(name, layersPrefix+"%d.", &layer)
		return layer + 1
	}
	return 0
}

// TrainedInFull reports whether full fine-tuning trains the parameter: all but the convolutions of
// the front end, as with freeze_feature_encoder in transformers, so that their output can be
// cached.
func (m *model) TrainedInFull(name string) bool { return !strings.HasPrefix(name, frontEndPrefix) }

// Ends of the names of linear layers.
var (
	queryKeyValue = []string{"q_proj", "k_proj", "v_proj"}
	feedForwards  = []string{"intermediate_dense", "output_dense"}
)

const (
	outProjection     = "out_proj"
	gateLinear        = "gru_rel_pos_linear" // WavLM only
	featureProjection = "feature_projection.projection"
)

// Targets returns the ends of the names of the linear layers that a word stands for: auto is query,
// key and value, attention also the output projection.
func (m *model) Targets(t speech.Targets) []string {
	switch t {
	case speech.TargetsAuto:
		return slices.Clone(queryKeyValue)
	case speech.TargetsAttention:
		return append(slices.Clone(queryKeyValue), outProjection)
	case speech.TargetsAllLinear:
		names := slices.Concat(queryKeyValue, []string{outProjection}, feedForwards, []string{featureProjection})
		if m.Family == WavLM {
			names = append(names, gateLinear)
		}
		return names
	}
	return nil
}

// LinearLayers returns the names of all linear layers in the order of the model.
func (m *model) LinearLayers() []string {
	names := []string{featureProjection}
	for l := range m.Layers {
		at := fmt.Sprint(layersPrefix, l, ".")
		for _, name := range m.Targets(speech.TargetsAttention) {
			names = append(names, at+"attention."+name)
		}
		if m.Family == WavLM {
			names = append(names, at+"attention."+gateLinear)
		}
		for _, name := range feedForwards {
			names = append(names, at+"feed_forward."+name)
		}
	}
	return names
}
