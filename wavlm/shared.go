package wavlm

import (
	"fmt"
	"strings"

	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// SharedStates is how many hidden states, from number 0 on, a view has in common with the model under it, since no
// adapter reaches them: all of a model that is no view; 0 if only the front end is the same; -1 if not even that is.
func (m *Model) SharedStates() int { return m.shared }

// lowest is an adapter that notes how far down it reaches.
type lowest struct {
	nn.Adapter
	shared int
}

// Param notes parameters that the adapter replaces.
func (l *lowest) Param(b *nn.Builder, path string, p *torch.Tensor) *torch.Tensor {
	own := l.Adapter.Param(b, path, p)
	l.note(path, own != p)
	return own
}

// Wrap notes layers that the adapter replaces.
func (l *lowest) Wrap(b *nn.Builder, path string, base nn.Layer) nn.Layer {
	own := l.Adapter.Wrap(b, path, base)
	l.note(path, own != base)
	return own
}

func (l *lowest) note(path string, changed bool) {
	if changed {
		l.shared = min(l.shared, below(path))
	}
}

// below is how many hidden states do not depend on what has that path.
func below(path string) int {
	layer := 0
	switch {
	case strings.HasPrefix(path, "feature_extractor."):
		return -1
	case strings.HasPrefix(path, "encoder.layers."):
		fmt.Sscanf(path, "encoder.layers.%d.", &layer)
		return layer + 1
	}
	return 0
}
