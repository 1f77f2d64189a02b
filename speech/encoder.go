package speech

import (
	"context"
	"math"

	"github.com/brainwavlm/bwlm/npy"
	"github.com/brainwavlm/bwlm/torch"
	"github.com/brainwavlm/bwlm/torch/nn"
)

// SampleRate is the rate of waveforms in Hz, which all families share.
const SampleRate = 16000

// Encoder is a pretrained speech encoder, or a view of one with adapters. Any number of goroutines
// may infer with it at the same time; training runs alone (see [nn.Session]).
type Encoder interface {
	Geometry

	// Notes returns what the user should know about how the model was read.
	Notes() []string
	// Normalisation resolves n for this model: auto becomes what the model's preprocessor does. It
	// returns an error of kind Usage for a normalisation that the family does not allow.
	Normalisation(n Normalisation) (Normalisation, error)

	// FrontEnd returns the frames (B, T, C) of waveforms (B, S): depth 0.
	FrontEnd(wave *torch.Tensor) *torch.Tensor
	// Forward returns the hidden states max(depth-1, 0) to upTo, each (B, T, E), of frames x
	// (B, T, C) at a depth. From whatever depth it continues, the results are bit-identical,
	// unless p disturbs the layers below. Layers above upTo do not run.
	Forward(x *torch.Tensor, depth, upTo int, p Pass) []*torch.Tensor
	// HiddenStates returns the hidden states of the given layers, all if there is none, of one
	// recording in one pass: a matrix (Frames, Width) each. The waveform is normalised as the
	// model's preprocessor does. Layer N is taken before a final norm.
	HiddenStates(ctx context.Context, samples []float32, layers ...int) ([]npy.Matrix, error)

	// WithAdapter returns a view of the encoder over the same weights in which the adapters are
	// active. The encoder itself does not change. The view ends with the encoder, and the
	// adapters must stay open as long as it is used. Adapters that do not fit the model are
	// errors of kind BadData. New ones are initialised with the first adapter's seed.
	WithAdapter(ctx context.Context, adapters ...Adapter) (Encoder, error)
	// Adapted returns the names of the layers and parameters that the view's adapters replace; none
	// in an encoder that is no view.
	Adapted() []string
	// LinearLayers returns the names of all linear layers, in the order of the model.
	LinearLayers() []string
	// Targets returns the ends of the names of the linear layers that a word stands for.
	Targets(t Targets) []string
	// FrozenDepth returns the greatest depth that depends on none of the named layers and
	// parameters: N+1 without names, and -1 if even the front end depends on one.
	FrozenDepth(names ...string) int
	// TrainedInFull reports whether full fine-tuning trains the named parameter.
	TrainedInFull(name string) bool

	// Store holds the encoder's parameters, without those of adapters.
	Store() *nn.Store
	// Session runs closures over the parameters, adapters' included, on the encoder's device.
	Session() *nn.Session
	// Random returns an encoder of the same architecture with random weights.
	Random(ctx context.Context, opt Options) (Encoder, error)
	// Save writes the encoder without adapters as a new folder in Hugging Face's layout.
	Save(ctx context.Context, dir string) error
	// Close frees the weights. A view has none of its own.
	Close()
	// Identity returns the SHA-256, in hexadecimal, of everything in the encoder's folder that its
	// outputs follow from, and "" if it is not from a folder. It may read the weights again.
	Identity() (string, error)
}

// Geometry is what follows from an encoder's configuration alone.
type Geometry interface {
	// Architecture returns the encoder's sizes.
	Architecture() Architecture
	// Frames returns the number of frames of a recording of n samples, 0 if it is too short for
	// one.
	Frames(samples int) int
	// FrameShape returns the shape of one clip's frames at a depth, padding included.
	FrameShape(depth, samples int) (frames, channels int)
	// FrontEndBytes estimates the memory that the front end needs for n clips at once.
	FrontEndBytes(clips, samples int) int64
	// GraphBytes estimates the activations of one clip up to a layer that a backward pass needs.
	GraphBytes(samples, layer int) int64
	// ForwardBytes estimates the memory of one clip up to a layer without gradients.
	ForwardBytes(samples, layer int) int64
	// PairBytes estimates the memory of tables with a number for each pair of a clip's frames. It
	// grows with the square of the clip's length, and is 0 in families without such tables.
	PairBytes(samples int) int64
	// Fingerprint returns a text that differs between configurations of different results.
	Fingerprint() string
}

// Architecture holds the sizes of an encoder.
type Architecture struct {
	Family     string // model_type of config.json
	Layers     int    // N; hidden states are numbered 0 to N
	Width      int    // of a hidden state (E)
	MinSamples int    // length of the shortest waveform that the encoder accepts
	Hop        int    // samples from one frame to the next
	Field      int    // samples that the front end computes one frame from
	Offset     int    // first sample of frame 0's field; negative where the front end pads
}

// Time returns the middle of frame i in seconds.
func (a Architecture) Time(i int) float64 {
	return float64(i*a.Hop+a.Offset+a.Field/2) / SampleRate
}

// Nearest returns the frame whose middle is nearest to a second, whatever the recording's length.
func (a Architecture) Nearest(second float64) int {
	return int(math.Round((second*SampleRate - float64(a.Offset+a.Field/2)) / float64(a.Hop)))
}

// Options control how an encoder is loaded.
type Options struct {
	Device       torch.Device
	Compute      torch.DType // in which linear layers multiply; the zero value is Float32
	Seed         uint64      // of weights that are not read
	RandomLayers []int       // layers, from 0, that start at random instead of the checkpoint's weights
	AnyValues    bool        // accepts a checkpoint with NaN, infinite or all-zero weights
	// Frozen promises that the weights will not be trained. The matrices of the layers are then
	// held in the compute type, where that is narrower.
	Frozen  bool
	Context Context // what a clip is heard in, where the family has a choice
}

// Context is what an encoder hears a clip in. The zero value and auto are the family's own choice.
type Context string

// The values of Context. A Whisper pads clips to 30 s, as in its training, unless it is to hear them alone. All other
// families hear a clip alone.
const (
	ContextAuto   Context = "auto"
	Context30s    Context = "30s"
	ContextWindow Context = "window"
)

// Mode returns the mode in which an encoder with these options is built.
func (o Options) Mode() torch.Mode {
	return torch.Mode{Seed: o.Seed, Device: o.Device, Compute: o.Compute}
}
