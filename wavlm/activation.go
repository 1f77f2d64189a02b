package wavlm

import "github.com/brainwavlm/bwlm/torch"

// activations holds the activation functions that a config.json may name.
var activations = map[string]func(*torch.Tensor) *torch.Tensor{
	"gelu":     (*torch.Tensor).GELU,
	"gelu_new": (*torch.Tensor).GELUTanh,
	"relu":     (*torch.Tensor).ReLU,
	"selu":     (*torch.Tensor).SELU,
}
